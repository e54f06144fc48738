#!/usr/bin/perl
# mutate.pl SEED COUNT DIR: COUNT random operations below DIR, as root; the same for the same seed and tree.
use strict;
use warnings;
use Fcntl;
use POSIX qw(mkfifo);

my ($seed, $count, $root) = @ARGV;
srand($seed);
chdir($root) or die "$root: $!";

# setxattr(2), without following links.
my $lsetxattr = (POSIX::uname())[4] eq 'aarch64' ? 6 : 189;
my $attribute = 'security.capability';
my $lremovexattr = (POSIX::uname())[4] eq 'aarch64' ? 15 : 198;
my @capabilities = map { pack('H*', $_) } qw(
    0100000200200000000000000000000000000000
    0100000200040000000000000000000000000000);

my (@files, @dirs);

sub list {
    my ($path) = @_;
    push @dirs, $path;
    opendir(my $handle, $path) or return;
    my @names = sort grep { $_ ne '.' && $_ ne '..' } readdir($handle);
    closedir($handle);
    for my $name (@names) {
        my $child = "$path/$name";
        if (-d $child && !-l $child) { list($child) } else { push @files, $child }
    }
}

sub one { return $_[int(rand(@_))] }

sub name {
    my $kind = int(rand(12));
    return "n\nl" . int(rand(50)) if $kind == 0;
    return "\xff\xfe" . chr(1 + int(rand(46))) if $kind == 1;
    return ' sp ace\\' . int(rand(50)) if $kind == 2;
    return 'x' x (200 + int(rand(56))) if $kind == 3;
    return '-' . int(rand(50)) . '#=*?' if $kind == 4;
    return 'f' . int(rand(400));
}

sub spot { return one(@dirs) . '/' . name() }

# mtree can't read its own specification of a directory whose name holds a newline.
sub directory_spot { my $spot = spot(); $spot =~ tr/\n/_/; return $spot }

sub write_file {
    my ($path, $length, $flags) = @_;
    return unless !-e $path || (-f $path && !-l $path);
    sysopen(my $handle, $path, O_WRONLY | O_CREAT | O_NONBLOCK | $flags) or return;
    syswrite($handle, join('', map { chr(32 + int(rand(90))) } 1 .. $length));
    close($handle);
}

sub remove {
    my ($path) = @_;
    if (-d $path && !-l $path) {
        opendir(my $handle, $path) or return;
        remove("$path/$_") for grep { $_ ne '.' && $_ ne '..' } readdir($handle);
        closedir($handle);
        rmdir($path);
    }
    else { unlink($path) }
}

my @operations = (
    sub { write_file(spot(), int(rand(3000)), O_TRUNC) },
    sub { write_file(spot(), int(rand(100)), O_EXCL) },
    sub { write_file(one(@files), 1 + int(rand(50)), 0) },
    sub {                                              # an edit that keeps size and times of modification
        my $path = one(@files);
        my @status = lstat($path);
        return unless -f _ && $status[7] > 0;
        write_file($path, $status[7] < 200 ? $status[7] : 200, 0);
        utime($status[8], $status[9], $path);
    },
    sub { write_file(one(@files), int(rand(2000)), O_APPEND) },
    sub { my $path = one(@files); truncate($path, int(rand(4000))) if -f $path && !-l $path },
    sub { my $path = one(@files, @dirs); chmod(one(0600, 0644, 0755, 04755, 02755, 01777, 0), $path) unless -l $path || $path eq '.' },
    sub { my $path = one(@files, @dirs); chown(int(rand(3)), int(rand(3)), $path) unless -l $path || $path eq '.' },
    sub { link(one(@files), spot()) },
    sub { symlink(one('target', '/nowhere', 'sp ace', '../f' . int(rand(400))), spot()) },
    sub { rename(one(@files), spot()) },
    sub { my $path = one(@dirs); rename($path, directory_spot()) unless $path eq '.' },
    sub { mkdir(directory_spot()) },
    sub { remove(one(@files)) },
    sub { my $path = one(@dirs); remove($path) unless $path eq '.' || rand() < 0.97 },
    sub { my $path = one(@files); return if $path =~ /\n/; remove($path); mkdir($path); write_file("$path/inside", 10, 0) },
    sub { my $path = one(@dirs); return if $path eq '.' || rand() < 0.97; remove($path); write_file($path, 10, 0) },
    sub { mkfifo(spot(), 0644) },
    sub {
        my $path = one(@files);
        my $value = one(@capabilities);
        syscall($lsetxattr, $path, $attribute, $value, length($value), 0) if -f $path && !-l $path;
    },
    sub { my $path = one(@files); syscall($lremovexattr, $path, $attribute) if -f $path && !-l $path },
);

list('.');
for my $step (1 .. $count) {
    # The lists are what the tree was like a little while ago: some operations are meant to fail.
    if ($step % 50 == 0) { @files = @dirs = (); list('.') }
    write_file(spot(), 100, 0) unless @files;
    push @files, spot() unless @files;
    one(@operations)->();
}
