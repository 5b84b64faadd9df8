"""Large bytes as local files: written once, never changed, named by chance.

A blob is whole and on disk before anything names it; what nobody came to name is an orphan and is swept.
"""

from cumulo.blobs.failures import BlobFailure, BlobsFull
from cumulo.blobs.folder import Blobs
from cumulo.blobs.reading import File
from cumulo.blobs.writing import Stored, Writer

__all__ = ["BlobFailure", "Blobs", "BlobsFull", "File", "Stored", "Writer"]
