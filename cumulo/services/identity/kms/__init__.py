"""AWS Key Management Service: keys that never leave, and what may be done with them."""

from cumulo.core.errors import Error

ACCESS_DENIED = Error("AccessDeniedException", status=400)
