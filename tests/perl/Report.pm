# What both scripts have in common: their input, and how answers are printed.
package Report;
use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use JSON::PP;

binmode STDOUT, ':encoding(UTF-8)';

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    return do { local $/; <$file> };
}

# cluster.conf, the same with faults in it, pf.conf, evidence of three members, versions of three members.
sub input {
    my ($example) = @_;
    my $cluster_conf = slurp("$example/cluster.conf");
    (my $broken = $cluster_conf) =~ s/192\.168\.1\.6/192.168.1.5/;
    $broken .= "# \xe9\n[caf\xc3\xa9]\nmanagement_ip=192.168.1.8\n";
    my $versions = encode_json({
        version => 1,
        local   => 'pf1.example.com',
        members => [
            { host => 'pf1.example.com', config_version => '1510000000.12345' },
            { host => 'pf2.example.com', config_version => '1510000000.12345' },
            { host => 'pf3.example.com', config_version => undef },
            { host => 'pf4.example.com', config_version => '1520000000' },
        ],
    });
    return ($cluster_conf, $broken, slurp("$example/pf.conf"), slurp("$example/power-cut.json"), $versions);
}

sub findings {
    my ($document) = @_;
    printf "line %d: %s %s: %s\n", $_->{line}, $_->{severity}, $_->{code}, $_->{message}
        for @{ $document->{diagnostics} };
}

sub decision {
    my ($what, $document) = @_;
    print "$what: $document->{action}{kind}\n";
    print "  - $_->{text}\n" for @{ $document->{reasons} };
    print "  > $_\n" for @{ $document->{remedy} };
}

sub file {
    my ($text) = @_;
    printf "keepalived.conf: %d lines, %d instances, %s\n", ($text =~ tr/\n//), scalar(() = $text =~ /^vrrp_instance/mg),
        sha256_hex($text);
}

1;
