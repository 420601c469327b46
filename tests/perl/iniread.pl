#!/usr/bin/perl
# What PacketFence's reader, Config::IniFiles, makes of INI texts.
#
# Input: a line for each text, its bytes in hexadecimal.
# Output: a line of JSON for each, all names, keys and values in hexadecimal:
#   {"sections":[[NAME,[[KEY,[VALUE,...]],...]],...]}   or   {"errors":[[KIND,LINE],...]}

use strict;
use warnings;

use File::Temp qw(tempfile);
use JSON::PP ();

BEGIN {
    if ( !eval { require Config::IniFiles; 1 } ) {
        print STDERR "Config::IniFiles is missing: apt-get install libconfig-inifiles-perl\n";
        exit 3;
    }
}

# The reader peeks past the end of a file that ends with a CR, which is no fault of that file.
local $SIG{__WARN__} = sub { };

my @kinds = (
    [ malformed    => qr/\ALine (\d+) in file .* is malformed:/s ],
    [ outside      => qr/\A(\d+): parameter found outside a section/ ],
    [ unterminated => qr/\A(\d+): no end marker/ ],
);

sub hexadecimal { return unpack 'H*', $_[0] }

sub error {
    my ($message) = @_;
    for my $kind (@kinds) {
        return [ $kind->[0], $1 + 0 ] if $message =~ $kind->[1];
    }
    die "unknown message: $message";
}

sub section {
    my ( $config, $name ) = @_;
    my @keys = map { [ hexadecimal($_), [ map { hexadecimal($_) } $config->val( $name, $_ ) ] ] } $config->Parameters($name);
    return [ hexadecimal($name), \@keys ];
}

# A real file, as PacketFence has it: the reader seeks in it.
my ( undef, $path ) = tempfile( UNLINK => 1 );
my $json = JSON::PP->new;
while ( my $text = <STDIN> ) {
    chomp $text;
    open my $file, '>:raw', $path or die "$path: $!";
    print {$file} pack 'H*', $text;
    close $file or die "$path: $!";
    my $config = Config::IniFiles->new( -file => $path, -allowempty => 1 );
    my $result =
        $config
        ? { sections => [ map { section( $config, $_ ) } $config->Sections ] }
        : { errors => [ map { error($_) } @Config::IniFiles::errors ] };
    print $json->encode($result), "\n";
}
