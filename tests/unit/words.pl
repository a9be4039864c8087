# SPDX-License-Identifier: LGPL-2.1-or-later
# words.pl RULES FILE... - find what the rules forbid in the prose of files
#
# A rule is a line "PATTERN => ADVICE", with a regular expression of perl; a
# blank in it matches the end of a line too. A finding is a line "FILE:LINE: "TEXT":
# ADVICE". The status is 1 if there is one.
#
# Prose is what is left of a page without code: verbatim paragraphs, C<>, F<> and
# the like in POD; blocks that are set in by four, `` and names of tests in
# Markdown; everything but the first comment in a script. In C it is the strings
# of three words and more, which are the messages, and the comments, whose
# sentences may be long; in headers they may not.

use strict;
use warnings;

use constant LONGEST_SENTENCE => 30;

my (@rules, $nr_findings);

sub read_rules {
    my ($file) = @_;

    open my $in, '<', $file or die "$file: $!\n";
    while (<$in>) {
        next if /^#|^\s*$/;
        my ($pattern, $advice) = /^(.*\S) => (.*)$/ or die "$file:$.: $_";
        $pattern =~ s/ /\\s/g;
        push @rules, [ qr/$pattern/, $advice ];
    }
    die "$file: no rules\n" unless @rules;
}

# Code becomes one word, on as many lines as it had.
sub mask {
    my ($code) = @_;

    return "code" . "\n" x ($code =~ tr/\n//);
}

sub mask_pod {
    my ($text) = @_;

    $text =~ s/[BCFIL](<<+)\s.*?\s>>+/mask($&)/gse;
    1 while $text =~ s/[BCEFILSXZ]<[^<>]*>/mask($&)/gse;
    return $text;
}

sub report {
    my ($file, $line, $text, $advice) = @_;

    $text =~ s/\s+/ /g;
    print "$file:$line: \"$text\": $advice\n";
    $nr_findings++;
}

sub check_sentences {
    my ($file, $line, $text) = @_;

    # In a header "Returns 0; -EINVAL: WHY; -ENOMEM." is a list.
    my $ends = $file =~ /\.h$/ ? qr/(?<=[.?!;])(?=\s)/
                               : qr/(?:(?<=[.?!])|(?<=[.?!]\*\*))(?=\s)/;

    for my $sentence (split $ends, $text) {
        my $blanks = $sentence =~ /^(\s*)/ ? $1 : '';
        my $nr = () = $sentence =~ /\S+/g;

        report($file, $line + ($blanks =~ tr/\n//),
               join(' ', (split ' ', $sentence)[0 .. 4]) . ' ...',
               "a sentence of $nr words: split it") if $nr > LONGEST_SENTENCE;
        $line += $sentence =~ tr/\n//;
    }
}

sub check_words {
    my ($file, $line, $text) = @_;

    for my $rule (@rules) {
        my ($pattern, $advice) = @$rule;

        while ($text =~ /$pattern/g) {
            my ($found, $before) = ($&, $`);

            report($file, $line + ($before =~ tr/\n//), $found, $advice);
        }
    }
}

# Lines without prose are empty.
sub check_paragraphs {
    my ($file, @lines) = @_;
    my ($first, @paragraph) = (0);

    for my $number (1 .. @lines + 1) {
        my $text = $number <= @lines ? $lines[$number - 1] : '';

        if ($text =~ /^\s*$/) {
            my $prose = join "\n", @paragraph;
            $prose = $file =~ /\.pod$/ ? mask_pod($prose)
                                       : $prose =~ s/`[^`]*`/mask($&)/gser;
            check_words($file, $first, $prose);
            check_sentences($file, $first, $prose) if $file !~ /\.c$/;
            @paragraph = ();
            next;
        }
        $first = $number unless @paragraph;
        push @paragraph, $text =~ s/^\s+//r;
    }
}

# Lines without code. What ends a paragraph without an empty line gets one by
# s///, as the number of lines has to stay.
sub prose_of_pod {
    my $verbatim = 0;
    my $start = 1;

    return map {
        $verbatim = /^\s+\S/ if $start;
        $start = /^\s*$/;
        $verbatim || /^=(over|back|cut|encoding|head)/ ? '' : s/^=item\s*//r;
    } @_;
}

sub prose_of_markdown {
    return map { /^ {4}|^- test: |^<!--|^#|^\|[-|]*$/ ? '' : $_ } @_;
}

sub prose_of_script {
    my $is_header = 1;

    return map {
        $is_header = 0 unless /^#/;
        $is_header && !/^#!|^#   / ? s/^# ?//r : '';
    } @_;
}

# Comments alone; "NAME: TEXT", for an argument, is an item of a list.
sub prose_of_comments {
    my $inside = 0;

    return map {
        my $line = $_;

        # What is behind code is about that code alone.
        $inside ||= $line =~ s{^.*?\S.*?/\*+}{- } || $line =~ s{^.*?/\*+}{};
        $line = '' unless $inside;
        $inside = 0 if $line =~ s{\*/.*}{};
        $line =~ s/^ ?\* ?//;
        # Set in by four: a table, or code.
        $line =~ /^ {4}\S/ ? '' : $line =~ s/^ {2,}[a-z_]\w*(, [a-z_]\w*)*: /- /r;
    } @_;
}

# An item of a list or a cell of a table is a paragraph of its own.
sub check_parts {
    my ($file, @lines) = @_;
    my @texts = ([]);

    for my $number (1 .. @lines) {
        my $line = $lines[$number - 1];

        if ($line =~ /^\|/) {
            $line =~ s/`[^`]*`/mask($&)/ge;
            check_words($file, $number, $_) for split /\|/, $line;
            $line = '';
        }
        push @texts, [ ('') x ($number - 1) ] if $line =~ /^\s*([-*]|\d+\.) /;
        push @{$texts[-1]}, $line;
    }
    check_paragraphs($file, @$_) for @texts;
}

# A string may be on several lines, with macros between its parts.
sub check_messages {
    my ($file, $text) = @_;
    my $part = qr/"(?:[^"\\\n]|\\.)*"/;

    $text =~ s{/\*.*?\*/}{"\n" x ($& =~ tr/\n//)}gse;
    $text =~ s/^#.*//gm;
    while ($text =~ /$part(?:\s+(?:[A-Z]\w*\s+)?$part)*/g) {
        my ($message, $before) = ($&, $`);

        $message =~ s/"\s*(?:[A-Z]\w*\s*)?"//g;
        next unless (() = $message =~ /[a-z]{2,}/g) > 2;
        check_words($file, 1 + ($before =~ tr/\n//), $message =~ s/\\n/ /gr);
    }
}

sub check_file {
    my ($file) = @_;

    open my $in, '<', $file or die "$file: $!\n";
    chomp(my @lines = <$in>);
    return check_paragraphs($file, prose_of_pod(@lines)) if $file =~ /\.pod$/;
    check_messages($file, join "\n", @lines) if $file =~ /\.c$/;
    return check_parts($file, prose_of_comments(@lines)) if $file =~ /\.[ch]$/;
    check_parts($file, @lines && $lines[0] =~ /^#!/ ? prose_of_script(@lines)
                                                   : prose_of_markdown(@lines));
}

read_rules(shift);
check_file($_) for @ARGV;
exit($nr_findings ? 1 : 0);
