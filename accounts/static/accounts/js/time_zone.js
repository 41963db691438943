// Tells the sign-up form which time zone the browser is in. Without scripts it stays empty: UTC.
const field = document.querySelector("input[name=time_zone]");
if (field) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
