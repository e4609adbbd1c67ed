"""The exceptions of codecbench; their messages are single lines written for the user."""


class CodecbenchError(Exception):
    """Base of every error raised on purpose."""


class UserError(CodecbenchError):
    """A command, spec or configuration is wrong; the command line exits with status 2."""


class UnavailableError(UserError):
    """A codec, metric or corpus cannot run here; the message says what to install or fetch."""


class AudioError(CodecbenchError):
    """An audio file or signal cannot be used; becomes the reason of a failure row."""


class BitstreamError(CodecbenchError):
    """A bitstream is malformed."""


class CodecError(CodecbenchError):
    """A codec cannot code this signal; becomes the reason of a failure row."""


class MetricError(CodecbenchError):
    """A metric cannot score this pair; becomes the reason of a failure row."""
