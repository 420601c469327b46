#!/usr/bin/perl
# pfcluster inside Perl: the Python module through Debian's libinline-python-perl.
#
#   PYTHONPATH=DIRECTORY_WITH_PFCLUSTER perl embedded.pl EXAMPLE_DIRECTORY
#
# Perl hands over texts and gets JSON back. Everything else has traps: lists are flattened, byte strings with high bytes
# become `bytes`, True is an object, integers beyond 64 bits become -1, exceptions are plain strings, and there are no
# keyword arguments. So the few lines of Python that are asked stand here.
use strict;
use warnings;

use FindBin;
use Inline::Python qw(py_call_function py_eval);
use JSON::PP;
use lib $FindBin::Bin;
use Report;

py_eval(<<'PYTHON');
import json
import pfcluster

def check(cluster_conf):
    return pfcluster.parse(cluster_conf).check().to_json()

def elect(cluster_conf, evidence):
    return pfcluster.select_bootstrap(pfcluster.parse(cluster_conf), [evidence]).to_json()

def resolve(versions):
    return pfcluster.resolve_conflict(versions).to_json()

def keepalived(cluster_conf, pf_conf, host):
    cluster = pfcluster.parse(cluster_conf, pf_conf=pf_conf, host=host)
    generated = pfcluster.generate(cluster, "keepalived", keepalived_version="2.2")
    return json.dumps({file.path: file.text for file in generated.files})
PYTHON

# What comes from Python is text already: no decode_json, which takes bytes.
my $json = JSON::PP->new;

sub ask {
    my ($function, @texts) = @_;
    my $answer = eval { py_call_function('__main__', $function, @texts) };
    # The message of a Python exception, with the line of its traceback.
    die "pfcluster: $@" if !defined $answer;
    return $json->decode($answer);
}

my ($cluster_conf, $broken, $pf_conf, $evidence, $versions) = Report::input($ARGV[0]);
Report::findings(ask('check', $broken));
Report::decision('start', ask('elect', $cluster_conf, $evidence));
Report::decision('push', ask('resolve', $versions));
Report::file(ask('keepalived', $cluster_conf, $pf_conf, 'pf1.example.com')->{'var/conf/keepalived.conf'});

# An exception is a string here: its class and its text are in it.
eval { ask('keepalived', $cluster_conf, $pf_conf, 'pf9.example.com') };
print 'refused: ', $@ =~ /(pf9\.example\.com is not a member of the cluster)/ ? $1 : $@, "\n";
