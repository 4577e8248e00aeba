"""`contrib`: other libraries as externs."""

from tewb.compat import face

face.wear(__name__)
