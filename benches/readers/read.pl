#!/usr/bin/perl
# Reads one file with PacketFence's reader, Config::IniFiles: read.pl FILE SECONDS
#
# Prints MEDIAN_SECONDS REPETITIONS, or with 0 seconds PEAK_BYTES; see read.rs.

use strict;
use warnings;

use Config::IniFiles ();
use Time::HiRes qw(time clock_gettime CLOCK_PROCESS_CPUTIME_ID);

my ( $path, $seconds ) = @ARGV;

sub read_file {
    my $config = Config::IniFiles->new( -file => $path );
    return $config // die "@Config::IniFiles::errors";
}

# The most memory that this process ever had, in bytes.
sub peak {
    open my $status, '<', '/proc/self/status' or die "/proc/self/status: $!";
    my ($kilobytes) = join( '', <$status> ) =~ /^VmHWM:\s+(\d+) kB/m;
    return $kilobytes * 1024;
}

if ( $seconds > 0 ) {
    my @times;
    my $begin = time;
    do {
        my $start = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
        read_file();
        push @times, clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $start;
    } while ( time - $begin < $seconds );
    @times = sort { $a <=> $b } @times;
    printf "%e %d\n", $times[ @times / 2 ], scalar @times;
}
else {
    my $before = peak();
    my $config = read_file();
    print peak() - $before, "\n";
}
