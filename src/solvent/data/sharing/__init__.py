"""A store and its remote: what to send, what to fetch, and that each side ends up with whole things.

Objects travel before the document that speaks of them, so a document on the remote is a
promise: all that it needs is there. May read and write the store and the remote that it
is handed; knows nothing of the command line and of git.
"""

from solvent.data.sharing.checking import Checked, check
from solvent.data.sharing.fetch import Fetched, fetch
from solvent.data.sharing.push import Pushed, push

__all__ = ["Checked", "Fetched", "Pushed", "check", "fetch", "push"]
