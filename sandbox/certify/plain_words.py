"""What the system refused, in a sentence for the person at the command line. PURE."""
import errno

_WORDS = {
    errno.ENOENT: "there is no such file",
    errno.EACCES: "you may not use it; take another place, or another user",
    errno.EPERM: "you may not use it; take another place, or another user",
    errno.EROFS: "it is on a file system that cannot be written; take another place",
    errno.ENOSPC: "the disk is full; make room, or take another place",
    errno.EDQUOT: "your share of the disk is used up; make room, or take another place",
    errno.EISDIR: "it is a directory, and a file is wanted",
    errno.ENOTDIR: "a part of this path is a file, and a directory is wanted",
    errno.EEXIST: "a file of this name is there, and a directory is wanted",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the disk does not answer as it should",
}
_PORT = {
    errno.EADDRINUSE: "another program uses it; end that one",
    errno.EACCES: "ports below 1024 are for root alone",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def why(error: OSError) -> str:
    """Why a file or directory could not be used, and what to do."""
    return _WORDS.get(error.errno or 0) or error.strerror or str(error)


def why_no_port(error: OSError) -> str:
    """Why nothing can listen on an address and port."""
    return _PORT.get(error.errno or 0) or error.strerror or str(error)
