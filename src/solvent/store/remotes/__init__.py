"""Another place for what a store holds: objects and documents of facts in a folder or a bucket, chosen by URL.

`open_remote` is the door; `Remote` is the whole interface of a backend, so that another
one needs nothing else. `parallel`, `transfer` and `mirror` stand on the interface alone:
they retry, verify what arrives and never hold more than a few chunks. This folder may
touch the network and the remote's folder; it is reached only by what a person asked for
or by a missing object, and imports a backend's library only when its URL is opened.
"""

from solvent.store.remotes.opening import lender_for, open_remote
from solvent.store.remotes.protocol import Remote

__all__ = ["Remote", "lender_for", "open_remote"]
