# Makes single changes at random moments and measures each from the return of its system call to its line on a watch.
#   latency.pl DIR SEED COMMAND…    DIR/files/1… and DIR/settings/ exist; COMMAND writes one JSON line per transition
# Prints, for files and for settings: how many, and the 50th and 99th hundredth and the greatest, in milliseconds.
use strict;
use warnings;
use IO::Select;
use Time::HiRes qw(time sleep);

my ($dir, $seed, @command) = @ARGV;
my ($files, $settings, $longest_pause, $patience) = (2000, 200, 0.1, 30);
srand $seed;

my $pid = open(my $watch, '-|') // die $!;
if (!$pid) {
  open STDERR, '>&', \*STDOUT or die $!;
  exec @command or die "@command: $!";
}
while (1) {
  my $line = <$watch> // die "the watch ended\n";
  last if $line =~ /^Following/;
}
my $select = IO::Select->new($watch);
my ($buffer, %done, %seen) = ('');

# Lines that came until then, each with the time it was read.
sub listen_until {
  my ($end) = @_;
  while ((my $wait = $end - time) > 0) {
    next unless $select->can_read($wait);
    sysread $watch, $buffer, 1 << 16, length $buffer or die "the watch ended\n";
    my $now = time;
    while ($buffer =~ s/^(.*)\n//) {
      $seen{$1} //= $now if $1 =~ /"key":"([^"]+)"/;
    }
  }
}

sub put { my ($path, $text) = @_; open my $file, '>', $path or die "$path: $!"; print $file $text; close $file or die "$path: $!"; }

sub change {
  my ($number) = @_;
  my $path = "$dir/files/$number";
  my $kind = $number % 4;
  if ($kind == 0) { put("$dir/files/new-$number", $number); $done{"$dir/files/new-$number"} = time; return }
  if ($kind == 1) { put($path, "edited $number") }
  if ($kind == 2) { chmod 0700, $path or die "$path: $!" }
  if ($kind == 3) { unlink $path or die "$path: $!" }
  $done{$path} = time;
}

sub report {
  my ($what, @keys) = @_;
  my $end = time + $patience;
  listen_until(time + 0.1) while time < $end && grep { !exists $seen{$_} } @keys;
  my @missing = grep { !exists $seen{$_} } @keys;
  die "no line for @missing[0 .. ($#missing > 4 ? 4 : $#missing)]\n" if @missing;
  my @times = sort { $a <=> $b } map { 1000 * ($seen{$_} - $done{$_}) } @keys;
  printf "%s %d %.1f %.1f %.1f\n", $what, scalar @times, $times[$#times * 0.5], $times[$#times * 0.99], $times[-1];
}

for my $number (1 .. $files) {
  listen_until(time + rand $longest_pause);
  change($number);
}
report('files', keys %done);

%done = ();
for my $number (1 .. $settings) {
  listen_until(time + rand 3 * $longest_pause);
  put("$dir/settings/$number.conf", "kernel.panic = $number\n");
  $done{"setting:$dir/settings/$number.conf#kernel.panic"} = time;
}
report('settings', keys %done);
kill 'TERM', $pid;
