"""The methods of Ruby's own types, beyond those that everything has: a literal answers to no others."""

from __future__ import annotations

from sbfs.linking.ruby_classes import words

_ELEMENTS = words(
    "<=> == === =~ all? any? chain chunk chunk_while collect collect_concat compact count cycle detect drop "
    "drop_while each each_cons each_entry each_slice each_with_index each_with_object entries filter filter_map "
    "find find_all find_index first flat_map freeze grep grep_v group_by hash include? inject inspect lazy map "
    "max max_by member? min min_by minmax minmax_by none? one? partition reduce reject reverse_each select size "
    "slice_after slice_before slice_when sort sort_by sum take take_while tally to_a to_h to_s to_set uniq zip"
)
"""Of all that has elements."""

METHODS = {
    "Array": _ELEMENTS
    | words(
        "& * + - << [] []= append assoc at bsearch bsearch_index clear collect! combination compact! concat "
        "deconstruct delete delete_at delete_if difference dig each_index empty? fetch fetch_values fill "
        "filter! flatten flatten! index insert intersect? intersection join keep_if last length map! pack "
        "permutation pop prepend product push rassoc reject! repeated_combination repeated_permutation "
        "replace reverse reverse! rindex rotate rotate! sample select! shift shuffle shuffle! slice slice! "
        "sort! sort_by! to_ary transpose union uniq! unshift values_at |"
    ),
    "Hash": _ELEMENTS
    | words(
        "< <= > >= [] []= assoc clear compact! compare_by_identity compare_by_identity? deconstruct_keys "
        "default default= default_proc default_proc= delete delete_if dig each_key each_pair each_value "
        "empty? except fetch fetch_values filter! flatten has_key? has_value? invert keep_if key key? keys "
        "length merge merge! rassoc rehash reject! replace select! shift slice store to_hash to_proc "
        "transform_keys transform_keys! transform_values transform_values! update value? values values_at"
    ),
    "String": words(
        "% * + +@ -@ < << <= <=> == === =~ > >= [] []= ascii_only? b between? byteindex byterindex bytes "
        "bytesize byteslice bytesplice capitalize capitalize! casecmp casecmp? center chars chomp chomp! chop "
        "chop! chr clamp clear codepoints concat count crypt delete delete! delete_prefix delete_prefix! "
        "delete_suffix delete_suffix! downcase downcase! dump each_byte each_char each_codepoint "
        "each_grapheme_cluster each_line empty? encode encode! encoding end_with? force_encoding freeze "
        "getbyte grapheme_clusters gsub gsub! hash hex include? index insert inspect intern length lines "
        "ljust lstrip lstrip! match match? next next! oct ord partition prepend replace reverse reverse! "
        "rindex rjust rpartition rstrip rstrip! scan scrub scrub! setbyte size slice slice! split squeeze "
        "squeeze! start_with? strip strip! sub sub! succ succ! sum swapcase swapcase! to_c to_f to_i "
        "to_json_raw to_json_raw_object to_r to_s to_str to_sym tr tr! tr_s tr_s! undump unicode_normalize "
        "unicode_normalize! unicode_normalized? unpack unpack1 upcase upcase! upto valid_encoding?"
    ),
    "Symbol": words(
        "< <= <=> == === =~ > >= [] between? capitalize casecmp casecmp? clamp downcase empty? encoding "
        "end_with? freeze hash id2name inspect intern length match match? name next size slice start_with? "
        "succ swapcase to_proc to_s to_sym upcase"
    ),
    "Integer": words(
        "% & * ** + +@ - -@ / < << <= <=> == === =~ > >= >> [] ^ abs abs2 allbits? angle anybits? arg "
        "between? bit_length ceil chr clamp coerce conj conjugate denominator digits div divmod downto even? "
        "fdiv finite? floor freeze gcd gcdlcm hash i imag imaginary infinite? inspect integer? lcm magnitude "
        "modulo negative? next nobits? nonzero? numerator odd? ord phase polar positive? pow pred quo "
        "rationalize real real? rect rectangular remainder round singleton_method_added size step succ times "
        "to_c to_f to_i to_int to_r to_s truncate upto zero? | ~"
    ),
    "Float": words(
        "% * ** + +@ - -@ / < <= <=> == === =~ > >= abs abs2 angle arg between? ceil clamp coerce conj "
        "conjugate denominator div divmod fdiv finite? floor freeze hash i imag imaginary infinite? inspect "
        "integer? magnitude modulo nan? negative? next_float nonzero? numerator phase polar positive? "
        "prev_float quo rationalize real real? rect rectangular remainder round singleton_method_added step "
        "to_c to_f to_i to_int to_r to_s truncate zero?"
    ),
    "Range": _ELEMENTS | words("% begin bsearch cover? end exclude_end? last step"),
    "Regexp": words(
        "<=> == === =~ casefold? encoding fixed_encoding? freeze hash inspect match match? named_captures "
        "names options source to_s ~"
    ),
    "Set": _ELEMENTS
    | words(
        "& + - < << <= > >= ^ add add? classify clear collect! compare_by_identity compare_by_identity? "
        "delete delete? delete_if difference disjoint? divide empty? filter! flatten flatten! flatten_merge "
        "intersect? intersection join keep_if length map! merge pretty_print pretty_print_cycle "
        "proper_subset? proper_superset? reject! replace reset select! subset? subtract superset? union |"
    ),
}
"""Type → names."""
