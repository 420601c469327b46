#!/usr/bin/perl
# pfcluster beside Perl: the command line and its JSON. Nothing but the program is needed.
#
#   perl command_line.pl EXAMPLE_DIRECTORY PROGRAM
use strict;
use warnings;

use File::Temp;
use FindBin;
use JSON::PP;
use lib $FindBin::Bin;
use Report;

my ($example, $program) = @ARGV;

# A file of its own for each text: no shell, and nothing that two texts could share.
my $directory = File::Temp->newdir;

sub file_of {
    my ($name, $text) = @_;
    open my $file, '>:raw', "$directory/$name" or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
    return "$directory/$name";
}

# The answer. Exit status 0 is yes and 1 is no; 2 comes with {"error": {"message", "help"}}.
sub ask {
    my (@arguments) = @_;
    open my $pipe, '-|', $program, @arguments or die "$program: $!";
    my $text = do { local $/; <$pipe> };
    close $pipe;
    my $answer = $text =~ /^\{/ ? decode_json($text) : $text;
    die "pfcluster: $answer->{error}{message}\n" if $? >> 8 == 2 && ref $answer;
    die "pfcluster: exit status $?\n" if $? >> 8 > 1;
    return $answer;
}

my ($cluster_conf, $broken, $pf_conf, $evidence, $versions) = Report::input($example);
mkdir "$directory/conf" or die $!;
my @cluster = ('--root', $directory, '--pf-version', '14.1');
file_of('conf/cluster.conf', $cluster_conf);
file_of('conf/pf.conf', $pf_conf);

Report::findings(ask('check', '--format', 'json', file_of('broken.conf', $broken)));
Report::decision('start', ask('bootstrap', @cluster, '--format', 'json', '--evidence', file_of('all.json', $evidence)));
Report::decision('push', ask('conflict', '--format', 'json', '--versions', file_of('versions.json', $versions)));
my @keepalived = ('generate', 'keepalived', '--stdout', '--show-secrets', '--keepalived-version', '2.2', @cluster);
my $files = ask(@keepalived, '--host', 'pf1.example.com');
# Several files are printed one below the other, each below its name.
my ($conf) = $files =~ m{\A(?:==> var/conf/keepalived\.conf <==\n)?(.*?)(?=^==> |\z)}ms;
Report::file($conf);

# With `--format json` an error is JSON, too.
eval { ask('generate', 'keepalived', '--explain', '--format', 'json', @cluster, '--host', 'pf9.example.com') };
print 'refused: ', $@ =~ /(pf9\.example\.com is not a member of the cluster)/ ? $1 : $@, "\n";
