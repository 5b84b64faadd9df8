"""XML that a service writes itself; for services, which do not know wire."""

from cumulo.wire.protocols.xml_elements import escape as escape
from cumulo.wire.written import Written as Written
