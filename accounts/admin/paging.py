"""Lists of what only grows: newest first, without a count and without deep offsets."""

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator


class NewestFirst(ChangeList):
    """A list whose next page begins below this one's last key."""

    older: str | None = None
    newest: str | None = None

    def get_results(self, request: HttpRequest) -> None:
        """Read one page and one row more, which tells whether there is another page."""
        size, below = self.list_per_page, f"{self.lookup_opts.pk.name}__lt"
        rows = list(self.queryset[: size + 1])
        self.result_list = rows[:size]
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.show_admin_actions = self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.result_list, size)
        if len(rows) > size:
            self.older = self.get_query_string({below: str(self.result_list[-1].pk)}, ["p"])
        if below in self.params:
            self.newest = self.get_query_string({}, [below, "p"])


class OlderPaginator(InfinitePaginator):
    """Two links instead of numbers."""

    template_name = "admin/accounts/older.html"
