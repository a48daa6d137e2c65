#!/bin/sh
# A payment application that is run once for each request (exec:/path/payment_app.sh): the request is its standard
# input, up to the end, and what it prints is the answer. JSON or XML, answered in kind.
set -eu

request=$(cat)

# The value of a field, as "name":"value" or <name>value</name>; empty where the request does not have it.
field() {
    printf '%s' "$request" | tr -d '\n' |
        sed -n -e "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" -e "s|.*<$1>\([^<]*\)</$1>.*|\1|p"
}

command=$(field Command)
amount=$(field Amount)
ref=$(field RefID)

# Here the card is read and the host is asked. Keep the RefID: whoever asks for it again must not pay again.
result=Approved
if [ "$amount" = 5.05 ]; then
    result=Declined
fi

case $request in
'<'*)
    printf '<response><ResultCode>%s</ResultCode><TransType>%s</TransType><Amount>%s</Amount><RefID>%s</RefID></response>' \
        "$result" "$command" "$amount" "$ref"
    ;;
*)
    printf '{"ResultCode":"%s","TransType":"%s","Amount":"%s","RefID":"%s"}' "$result" "$command" "$amount" "$ref"
    ;;
esac
