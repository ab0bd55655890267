import pytest

from analytics import losses


@pytest.mark.parametrize("reason", losses.REASONS)
def test_every_loss_is_told_in_words_of_its_own(reason):
    bodies = reason.startswith(losses.OF_BODIES)
    assert ("Prompts" in losses.sentence(reason, 3)) is bodies
    assert ("Prompts" in losses.title(reason, 3)) is bodies
    assert ("budgets" in losses.harm(reason)) is not bodies
