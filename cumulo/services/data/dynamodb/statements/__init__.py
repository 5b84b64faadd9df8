"""PartiQL's statements as operations; the language itself is in `partiql`."""
