"""Makes the machine ready: installs what is missing, builds the small C programs, says what the machine is.

What is measured is left to rows.py, and running the servers to the modules named after them. Called by bench/run.
"""
import glob
import os
import platform
import resource
import shutil
import subprocess
import sys

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(BENCH)
BUILT = os.path.join(BENCH, '.built')
FASTIFY = os.path.join(BENCH, 'peers', 'fastify')
POLICY = '/usr/sbin/policy-rc.d'

# A program that must be there -> the package that brings it. PHP's packages carry its version: 8.2 on Debian 12,
# 8.4 on Debian 13.
PROGRAMS = {
    '/usr/sbin/nginx': 'nginx-light',
    '/usr/bin/wrk': 'wrk',
    '/usr/sbin/mariadbd': 'mariadb-server-core',
    '/usr/bin/mariadb': 'mariadb-client-core',
    '/usr/bin/redis-cli': 'redis-tools',
    '/usr/bin/cc': 'gcc',
    '/usr/include/sodium.h': 'libsodium-dev',
    '/usr/bin/node': 'nodejs',
    '/usr/bin/npm': 'npm',
}


class Missing(Exception):
    """Something that the benchmarks need and that cannot be had here; the text is for the person at the terminal."""


def debian_version():
    try:
        with open('/etc/debian_version') as f:
            return f.read().strip()
    except OSError:
        raise Missing('this is not Debian: the packages are known for Debian 12 and 13 only') from None


def php_version():
    return '8.2' if debian_version().startswith(('12', 'bookworm')) else '8.4'


def php_fpm():
    return '/usr/sbin/php-fpm' + php_version()


def missing_packages():
    wanted = [package for program, package in PROGRAMS.items() if not os.path.exists(program)]
    php = php_version()
    if not os.path.exists(php_fpm()):
        wanted.append(f'php{php}-fpm')
    # php-redis alone may bring other versions of PHP; Debian's package of that name is for its own one.
    for module, package in (('pdo_mysql', f'php{php}-mysql'), ('redis', 'php-redis'), ('opcache', f'php{php}-opcache')):
        if not glob.glob(f'/etc/php/{php}/fpm/conf.d/*-{module}.ini'):
            wanted.append(package)
    return wanted


def apt_install(packages):
    """Installs without starting a service, now (policy-rc.d) or at the next boot (disable)."""
    sudo = [] if os.geteuid() == 0 else ['sudo']
    if sudo and not shutil.which('sudo'):
        raise Missing('not root, and no sudo: please install ' + ' '.join(packages))
    print('bench: installing', ' '.join(packages), file=sys.stderr)
    ours = not os.path.exists(POLICY)
    if ours:
        refuse = f'printf "#!/bin/sh\\nexit 101\\n" >{POLICY} && chmod 755 {POLICY}'
        subprocess.run([*sudo, 'sh', '-c', refuse], check=True)
    try:
        env = [*sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C']
        subprocess.run([*env, 'apt-get', 'update', '-q'], check=False, stdout=subprocess.DEVNULL)
        done = subprocess.run([*env, 'apt-get', 'install', '-q', '-y', '--no-install-recommends', *packages],
                              check=False, stdout=subprocess.DEVNULL)
        if done.returncode:
            raise Missing('apt-get could not install ' + ' '.join(packages))
    finally:
        if ours:
            subprocess.run([*sudo, 'rm', '-f', POLICY], check=False)
    if os.path.isdir('/run/systemd/system'):
        units = [u for p, u in (('nginx-light', 'nginx'), (f'php{php_version()}-fpm', f'php{php_version()}-fpm'))
                 if p in packages]
        for unit in units:
            subprocess.run([*sudo, 'systemctl', 'disable', '--quiet', unit], check=False)


def npm_install():
    """The modules that the lock names, without install scripts: what is built for this machine lies in the packages."""
    lock = os.path.join(FASTIFY, 'package-lock.json')
    stamp = os.path.join(FASTIFY, 'node_modules', '.package-lock.json')
    if os.path.exists(stamp) and os.path.getmtime(stamp) >= os.path.getmtime(lock):
        return
    done = subprocess.run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
                          cwd=FASTIFY, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Missing('npm could not install the modules of bench/peers/fastify')


def build_loads():
    os.makedirs(BUILT, exist_ok=True)
    for name in ('argon2', 'idle', 'paced'):
        source, target = os.path.join(BENCH, 'load', name + '.c'), os.path.join(BUILT, name)
        if os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(source):
            continue
        subprocess.run([os.environ.get('CC', 'cc'), '-std=gnu11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-o',
                        target, source, '-lsodium', '-lpthread'], check=True)


def raise_file_limit(wanted):
    """As many descriptors as the machine gives: the servers inherit it. Says whether `wanted` are possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return True
        except (ValueError, OSError):
            pass
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard == resource.RLIM_INFINITY or hard >= wanted


def prepare():
    packages = missing_packages()
    if packages:
        apt_install(packages)
    npm_install()
    build_loads()


def first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.strip().split('\n')[0]
    except OSError:
        return 'unknown'


def fastify_version():
    with open(os.path.join(FASTIFY, 'node_modules', 'fastify', 'package.json')) as f:
        return f.read().split('"version": "')[1].split('"')[0]


def describe(state):
    """What a reader must know before comparing figures with those of another day."""
    model = 'unknown'
    with open('/proc/cpuinfo') as f:
        for line in f:
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
                break
    kind = first_line('stat', '-f', '-c', '%T', state)
    return {
        'debian': debian_version(), 'kernel': platform.release(), 'cpu': model, 'cores': os.cpu_count(),
        'load': os.getloadavg()[0], 'state_filesystem': kind,
        'nginx': first_line('/usr/sbin/nginx', '-v').split('/')[-1], 'php': first_line(php_fpm(), '-v').split(' (')[0],
        'node': first_line('node', '--version'), 'fastify': fastify_version(),
        'mariadb': first_line('/usr/sbin/mariadbd', '--version'),
        'wrk': first_line('sh', '-c', 'wrk -v 2>&1 | head -1').split(' [')[0],
    }
