"""Amazon Simple Queue Service: standard and FIFO queues."""

from cumulo.core.errors import Error

# On the query wire AccessDenied, on the json wire AccessDeniedException; both with 403, as AWS answers.
ACCESS_DENIED = Error("AccessDenied", status=403)
