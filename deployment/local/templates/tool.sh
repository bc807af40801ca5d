#!/usr/bin/env bash
# $name against this platform. PULSAR_ADMIN_URL, PULSAR_FUNCTIONS_URL, PULSAR_SERVICE_URL and --admin-url win.
url=$${PULSAR_ADMIN_URL:-$pulsar_admin_url}
case $${1-} in
    # Broker and functions worker are two processes: each has its own part of the API.
    functions | functions-worker | sources | sinks) url=$${PULSAR_FUNCTIONS_URL:-$pulsar_functions_url} ;;
esac
config() {
    cat "$${PULSAR_CLIENT_CONF:-$client_conf}"
    printf 'webServiceUrl=%s\nbrokerServiceUrl=%s\n' "$$url" "$${PULSAR_SERVICE_URL:-$pulsar_service_url}"
    printf 'shellHistoryDirectory=%s\n' $data_quoted
}
export LC_ALL=C.UTF-8 # else Java does not find what has other names than ASCII ones
exec $java $main "$$@"
