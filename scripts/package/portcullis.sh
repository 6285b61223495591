#!/bin/sh
# Portcullis with the Node.js it was built with. /etc/portcullis/portcullis.yaml is its configuration wherever it is run from.
here=$(dirname "$(readlink -f "$0")")
if [ -z "${PORTCULLIS_CONFIG:-}" ] && [ -r /etc/portcullis/portcullis.yaml ]; then
  export PORTCULLIS_CONFIG=/etc/portcullis/portcullis.yaml
fi
exec "$here/node" "$here/../dist/src/cli/main.js" "$@"
