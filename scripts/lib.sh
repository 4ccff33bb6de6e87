# shellcheck shell=sh
# What the scripts share: messages, packages, builds. Sourced, by sh and by bash, with `root` set to
# the top of the project. Everything said here goes to stderr: stdout is the caller's.

say() {
    printf 'weir: %s\n' "$*" >&2
}

die() {
    status=$1
    shift
    say "$*"
    exit "$status"
}

# ---- what is needed, and what each package manager calls it ----------------------------------
#
# A thing is found by what it can do and not by its package, so that a meson from elsewhere or the
# other build of libcurl will do. `-` stands for: comes with the system, or is not to be had there.
#
#   set    probe         apt                   dnf                 pacman        apk                brew
needs() {
    cat <<'TABLE'
    build  cmd:cc        gcc                   gcc                 gcc           gcc                -
    build  h:stdlib.h    libc6-dev             glibc-devel         glibc         musl-dev           -
    build  cmd:meson     meson                 meson               meson         meson              meson
    build  cmd:ninja     ninja-build           ninja-build         ninja         samurai            ninja
    build  cmd:pkg-config pkg-config           pkgconf-pkg-config  pkgconf       pkgconf            pkgconf
    build  pc:libcurl    libcurl4-openssl-dev  libcurl-devel       curl          curl-dev           curl
    build  pc:jansson    libjansson-dev        jansson-devel       jansson       jansson-dev        jansson
    build  h:ev.h        libev-dev             libev-devel         libev         libev-dev          libev
    build  h:unistr.h    libunistring-dev      libunistring-devel  libunistring  libunistring-dev   libunistring
    build  pc:libidn2    libidn2-dev           libidn2-devel       libidn2       libidn2-dev        libidn2
    build  h:utlist.h    uthash-dev            uthash-devel        uthash        uthash-dev         uthash
    build  pc:libxxhash  libxxhash-dev         xxhash-devel        xxhash        xxhash-dev         xxhash
    build  pc:zlib       zlib1g-dev            zlib-devel          zlib          zlib-dev           zlib
    build  certs:        ca-certificates       ca-certificates     ca-certificates ca-certificates  ca-certificates
    test   pc:criterion  libcriterion-dev      criterion-devel     criterion     criterion-dev      criterion
    test   cmd:nginx     nginx-light           nginx               nginx         nginx              nginx
    test   cmd:nghttpd   nghttp2-server        nghttp2             nghttp2       nghttp2            nghttp2
    test   cmd:openssl   openssl               openssl             openssl       openssl            openssl
    test   cmd:jq        jq                    jq                  jq            jq                 jq
    test   cmd:make      make                  make                make          make               make
    nobody cmd:setpriv   util-linux            util-linux          util-linux    setpriv            -
    on     cmd:mmdebstrap mmdebstrap           -                   -             -                  -
    on     cmd:unshare   util-linux            util-linux          util-linux    util-linux         -
    browse cmd:chromium  chromium              chromium            chromium      chromium           -
    bench  cmd:python3   python3               python3             python        python3            python
    bench  cmd:curl      curl                  curl                curl          curl               curl
    bench  cmd:xargs     findutils             findutils           findutils     findutils          -
    bench  cmd:parallel  parallel              parallel            parallel      parallel           parallel
    bench  cmd:wget2     wget2                 wget2               wget2         wget2              wget2
    bench  cmd:aria2c    aria2                 aria2               aria2         aria2              aria2
    bench  cmd:h2load    nghttp2-client        nghttp2             nghttp2       nghttp2            nghttp2
    bench  py:aiohttp    python3-aiohttp       python3-aiohttp     python-aiohttp py3-aiohttp       -
    package cmd:dh       debhelper             -                   -             -                  -
    package cmd:dpkg-buildpackage dpkg-dev     -                   -             -                  -
    package cmd:lintian  lintian               -                   -             -                  -
    clang  cmd:clang     clang                 clang               clang         clang              llvm
    clang  asan:         libclang-rt-dev       compiler-rt         compiler-rt   compiler-rt        llvm
    grind  grind:        valgrind,libc6-dbg    valgrind            valgrind      valgrind           -
    lint   cmd:gcc       gcc                   gcc                 gcc           gcc                gcc
    lint   cmd:clang     clang                 clang               clang         clang              llvm
    lint   cmd:clang-format clang-format       clang-tools-extra   clang         clang-extra-tools  clang-format
    lint   cmd:clang-tidy clang-tidy           clang-tools-extra   clang         clang-extra-tools  llvm
    lint   cmd:cppcheck  cppcheck              cppcheck            cppcheck      cppcheck           cppcheck
    lint   cmd:mandoc    mandoc                mandoc              mandoc        mandoc             mandoc
    lint   cmd:shellcheck shellcheck           ShellCheck          shellcheck    shellcheck         shellcheck
    lint   cmd:zsh       zsh                   zsh                 zsh           zsh                zsh
    lint   cmd:fish      fish                  fish                fish          fish               fish
    lint   ctags:        universal-ctags       ctags               ctags         ctags              universal-ctags
TABLE
}

# Sets `found` to whether PROBE finds its thing. A probe never reads the caller's stdin.
probe() {
    what=${1#*:}
    case $1 in
    cmd:*) command -v "$what" ;;
    pc:*) pkg-config --exists "$what" ;;
    h:*) echo "#include <$what>" | cc -E - ;;
    certs:*) ls /etc/ssl/certs/ca-certificates.crt || ls /etc/ssl/cert.pem ||
        ls /etc/pki/tls/certs/ca-bundle.crt ;;
    asan:*) echo 'int main(void) { return 0; }' |
        clang -fsanitize=address,undefined -x c - -o /dev/null ;;
    grind:*) valgrind -q true ;;
    py:*) /usr/bin/python3 -c "import $what" ;;
    ctags:*) ctags --version | grep Universal ;;
    *) die 4 "scripts/lib.sh: no such probe: $1" ;;
    esac </dev/null >/dev/null 2>&1
}

manager() {
    if [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
        echo apt
        return
    fi
    for name in dnf pacman apk brew; do
        if command -v "$name" >/dev/null; then
            echo "$name"
            return
        fi
    done
    echo none
}

# The packages of SET that are missing, by the names MANAGER knows them by, one a line.
missing_packages() {
    needs | while read -r set probe apt dnf pacman apk brew; do
        [ "$set" = "$1" ] && ! probe "$probe" || continue
        case $2 in
        dnf) echo "$dnf" ;;
        pacman) echo "$pacman" ;;
        apk) echo "$apk" ;;
        brew) echo "$brew" ;;
        *) echo "$apt" ;;
        esac
    done | tr , '\n' | grep -v '^-$' || true
}

# Makes sure of every package of the sets that are named, or ends the script with status 2.
need_packages() {
    # Daemons live in sbin, which is not on everybody's path.
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
    manager=$(manager)
    missing=$(for set in "$@"; do missing_packages "$set" "$manager"; done | sort -u | xargs)
    [ -n "$missing" ] || return 0

    case $manager in
    apt) install_with_apt "$missing" ;;
    dnf) die 2 "missing: $missing; install with: sudo dnf install $missing" ;;
    pacman) die 2 "missing: $missing; install with: sudo pacman -S $missing" ;;
    apk) die 2 "missing: $missing; install with: sudo apk add $missing" ;;
    brew) die 2 "missing: $missing; install with: brew install $missing" ;;
    *) die 2 "missing (by their names on Debian): $missing" ;;
    esac

    missing=$(for set in "$@"; do missing_packages "$set" "$manager"; done | sort -u | xargs)
    [ -z "$missing" ] || die 2 "installed, and still not found: $missing"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# A machine that is new has no lists of packages.
apt_command() {
    echo "apt-get update && apt-get install --no-install-recommends -y $1"
}

install_with_apt() {
    if ! as_root true </dev/null >/dev/null 2>&1; then
        die 2 "packages are missing; run as root: $(apt_command "$1")"
    fi
    say "installing: $1"
    apt_log=$(mktemp)
    keep_nginx_down "$1"
    # Old lists may do, and without any the installation fails and says so.
    apt_get update || true
    # shellcheck disable=SC2086 # the names are words
    if ! apt_get install --no-install-recommends -y $1; then
        tail -n 30 "$apt_log" >&2
        rm "$apt_log"
        die 2 "could not install; try as root: $(apt_command "$1")"
    fi
    let_nginx_be "$1"
    rm "$apt_log"
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" \
        </dev/null >>"$apt_log" 2>&1
}

# The tests start an nginx of their own; nobody asked for a web server on port 80. Under systemd
# the package would start one and enable it for the next boot. A mask that lasts only as long as
# the installation keeps it down and leaves no trace but a disabled unit. Elsewhere (containers,
# chroots) nothing starts.
is_nginx_under_systemd() {
    case " $1 " in
    *' nginx-light '*) [ -d /run/systemd/system ] ;;
    *) false ;;
    esac
}

keep_nginx_down() {
    if is_nginx_under_systemd "$1"; then
        as_root systemctl mask --runtime nginx.service </dev/null >&2 || true
    fi
}

let_nginx_be() {
    if is_nginx_under_systemd "$1"; then
        as_root systemctl unmask --runtime nginx.service </dev/null >&2 || true
        as_root systemctl disable nginx.service </dev/null >&2 || true
    fi
}

# ---- building --------------------------------------------------------------------------------

# build DIR [SETUP_OPTION]...: configures DIR once and builds it; ninja configures it anew by
# itself when a build file changed. Silent unless it fails.
build() {
    dir=$1
    shift
    mkdir -p "$dir"
    if ! configure_and_compile "$@" </dev/null >"$dir/build.log" 2>&1; then
        tail -n 100 "$dir/build.log" >&2
        die 4 "the build failed in $dir; all of it is in build.log there"
    fi
}

configure_and_compile() {
    if [ ! -f "$dir/build.ninja" ]; then
        meson setup "$@" "$dir" "${root:?}" || return
    fi
    ninja -C "$dir"
}

# True if something that goes into the program is newer than FILE, or FILE is not there.
is_stale() {
    [ ! -e "$1" ] || [ -n "$(find "${root:?}/meson.build" "$root/meson_options.txt" \
        "$root/src" "$root/include" -newer "$1" | head -n 1)" ]
}
