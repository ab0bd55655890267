"""How the console writes days and times: short, without am and pm, and with the zone, which is always UTC."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i e"
TIME_FORMAT = "H:i"
SHORT_DATE_FORMAT = "Y-m-d"
SHORT_DATETIME_FORMAT = "Y-m-d H:i"
