# shellcheck shell=bash
# All of the lab's library, in the order that its parts need. To be sourced from tests/lab.
. lib/common.sh
. lib/packages.sh
. lib/lab.sh
. lib/processes.sh
. lib/network.sh
. lib/certificates.sh
. lib/engines.sh
. lib/registry.sh
. lib/images.sh
. lib/samples.sh
. lib/hosts.sh
. lib/description.sh
