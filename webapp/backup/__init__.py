"""One file that holds an installation, and an installation made of it again.

A backup is a tar: the database, what the instance folder keeps beside it, and, last, a
manifest with the digest of every part. So a file that was cut off has no manifest, and
one that was changed does not fit it. It holds the server key and all that people wrote.
"""

from webapp.backup.making import make_backup
from webapp.backup.manifest import BackupError
from webapp.backup.restoring import restore

__all__ = ["BackupError", "make_backup", "restore"]
