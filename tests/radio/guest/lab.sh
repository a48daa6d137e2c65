#!/usr/bin/env bash
# The other side of the virtual terminal's radio and cable: a router with access points, and a small internet. Run inside
# it, as `lab.sh FUNCTION [ARGUMENT...]`.
#
#   root namespace: the terminal     namespace router                   namespace cloud
#     wlan1  station   ~ ~ ~ ~ ~     wlan0  access point ─┐
#                      ~ ~ ~ ~ ~     wlan2  a second one ─┴ lan  192.168.50.1
#     eth0   virtio card  ──────     eth1   virtio card          192.168.60.1
#                                    wan    veth    203.0.113.1 ─── eth0  203.0.113.10
#                                    DHCP, DNS (cloud.test), NAT
#
# The terminal's own side is in its image: systemd-networkd prefers the cable (metric 100) to Wi-Fi (600), and
# wpa_supplicant joins "shop". What the tests call "the kernel's word" is told by radio_inside.py.
set -euo pipefail

LAB=/run/router CLOUD=203.0.113.10 STATION=wlan1
mkdir -p "$LAB"

in_router() { ip netns exec router "$@"; }

# -- the network ---------------------------------------------------------------------------------------------------

network() {
    ip netns add router
    ip netns add cloud
    ip -n cloud link set lo up
    iw phy phy0 set netns name router
    iw phy phy2 set netns name router
    ip link set eth1 netns router
    ip -n router -batch - <<'END'
link set lo up
link add lan type bridge forward_delay 0 stp_state 0
link add wan type veth peer name eth0 netns cloud
addr add 203.0.113.1/24 dev wan
addr add 192.168.60.1/24 dev eth1
addr add 192.168.50.1/24 dev lan
link set lan up
link set wan up
link set eth1 up
END
    ip -n cloud addr add "$CLOUD/24" dev eth0
    ip -n cloud link set eth0 up
    # A router's rejects are not limited in number here.
    in_router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000
    in_router nft -f - <<'END'
table inet lab {
    chain forward { type filter hook forward priority 0; }
    chain out { type nat hook postrouting priority 100; oifname "wan" masquerade; }
}
END
    dhcp_on
    ap_up
}

# -- access points ---------------------------------------------------------------------------------------------------

# ap_up [WLAN] [PASSWORD]
ap_up() {
    local wlan=${1:-wlan0} password=${2:-open sesame}
    cat >"$LAB/$wlan.conf" <<END
interface=$wlan
bridge=lan
driver=nl80211
ctrl_interface=/run/hostapd
ssid=shop
hw_mode=g
channel=6
wpa=2
wpa_key_mgmt=WPA-PSK
rsn_pairwise=CCMP
wpa_passphrase=$password
END
    in_router hostapd -B -t -f "$LAB/$wlan.log" -P "$LAB/$wlan.pid" "$LAB/$wlan.conf" >/dev/null
}

# It is switched off in order: it says goodbye.
ap_down() {
    stop wlan0 TERM
    ip -n router link set wlan0 down
}

# It loses its power: no goodbye, and no beacons any more.
ap_dead() {
    stop wlan0 KILL
    ip -n router link set wlan0 down
}

other_password() { ap_dead; ap_up wlan0 "another one"; }

right_password() {
    ap_dead
    ap_up
    # As a person does who types the password in: wpa_supplicant alone tries again after up to five minutes.
    wpa_cli -i "$STATION" select_network 0 >/dev/null
}

deauthenticate() { in_router hostapd_cli -i wlan0 deauthenticate "$(<"/sys/class/net/$STATION/address")" >/dev/null; }

# Radios in other groups do not hear each other.
out_of_range() { echo 2 >/sys/kernel/debug/ieee80211/phy0/hwsim/group; }
in_range() { echo 1 >/sys/kernel/debug/ieee80211/phy0/hwsim/group; }

# The other access point, at the same channel: ap_up wlan2, and until the station has heard of it.
second_ap() {
    local bssid
    ap_up wlan2
    bssid=$(in_router cat /sys/class/net/wlan2/address)
    until wpa_cli -i "$STATION" scan_results | grep -q "^$bssid"; do
        wpa_cli -i "$STATION" scan >/dev/null
        sleep 0.5
    done
}

one_ap() { stop wlan2 TERM; ip -n router link set wlan2 down; }

# roam WLAN: the station goes over to this access point, as when it is carried through the shop.
roam() { wpa_cli -i "$STATION" roam "$(in_router cat "/sys/class/net/$1/address")" | grep -qx OK; }

# -- the router ------------------------------------------------------------------------------------------------------

reject() { in_router nft add rule inet lab forward ip daddr "$CLOUD" reject with icmp type port-unreachable; }
forward() { in_router nft flush chain inet lab forward; }

# dhcp_on [FIRST LAST]: its DNS server comes with it
dhcp_on() {
    echo "${1:-50}" >"$LAB/first"
    in_router dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --no-ping --interface=lan --interface=eth1 \
        --except-interface=lo --bind-dynamic --user=root --dhcp-authoritative --address="/cloud.test/$CLOUD" \
        --dhcp-range="192.168.50.${1:-50},192.168.50.${2:-99},10m" --dhcp-range=192.168.60.50,192.168.60.99,10m \
        --pid-file="$LAB/dnsmasq.pid" --dhcp-leasefile="$LAB/dnsmasq.leases"
}
dhcp_off() { stop dnsmasq TERM; }
other_range() {
    dhcp_off
    rm -f "$LAB/dnsmasq.leases"
    if [[ $(<"$LAB/first") == 50 ]]; then dhcp_on 150 199; else dhcp_on; fi
}

# Whatever was done.
restore() {
    forward
    in_range
    dhcp_off
    dhcp_on
    one_ap
    right_password
}

until_the_cable_leads_out() {
    until ip route show default dev eth0 | grep -qv linkdown; do sleep 0.1; done
}

# -- the terminal's side ---------------------------------------------------------------------------------------------

# Another DHCP client, which leaves addresses and routes where they are when a cable is out.
dhclient() {
    systemctl -q stop systemd-networkd.socket systemd-networkd
    ip addr flush dev eth0 scope global
    ip addr flush dev "$STATION" scope global
    ip link set eth0 up
    command dhclient -nw -e IF_METRIC=100 -pf "$LAB/dhclient-eth0.pid" -lf "$LAB/eth0.leases" eth0
    command dhclient -nw -e IF_METRIC=600 -pf "$LAB/dhclient-wifi.pid" -lf "$LAB/wifi.leases" "$STATION"
}

# stop NAME SIGNAL: the process of $LAB/NAME.pid, and wait until it has ended
stop() {
    local pid
    [[ -f $LAB/$1.pid ]] || return 0
    pid=$(<"$LAB/$1.pid")
    kill "-$2" "$pid"
    while [[ -d /proc/$pid ]]; do sleep 0.02; done
    rm -f "$LAB/$1.pid"
}

"$@"
