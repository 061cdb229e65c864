//! table: cases of the suite that are meant to fail here, by reason.

/// File, group and case, by their descriptions.
type Case = (&'static str, &'static str, &'static str);

pub(crate) const EXCEPTIONS: &[(&str, &[Case])] = &[
    (
        "The specification's own meta-schema refers dynamically.",
        &[
            (
                "defs",
                "validate definition against metaschema",
                "invalid definition schema",
            ),
            (
                "defs",
                "validate definition against metaschema",
                "valid definition schema",
            ),
            (
                "ref",
                "remote ref, containing refs itself",
                "remote ref invalid",
            ),
            (
                "ref",
                "remote ref, containing refs itself",
                "remote ref valid",
            ),
        ],
    ),
    (
        "`$dynamicRef` is refused: where it leads depends on the way to it, so what a check costs can't be counted.",
        &[
            (
                "dynamicRef",
                "$dynamicRef avoids the root of each schema, but scopes are still registered",
                "data is not sufficient for schema at second#/$defs/length",
            ),
            (
                "dynamicRef",
                "$dynamicRef avoids the root of each schema, but scopes are still registered",
                "data is sufficient for schema at second#/$defs/length",
            ),
            (
                "dynamicRef",
                "$dynamicRef points to a boolean schema",
                "follow $dynamicRef to a false schema",
            ),
            (
                "dynamicRef",
                "$dynamicRef points to a boolean schema",
                "follow $dynamicRef to a true schema",
            ),
            (
                "dynamicRef",
                "$dynamicRef skips over intermediate resources - direct reference",
                "integer property passes",
            ),
            (
                "dynamicRef",
                "$dynamicRef skips over intermediate resources - direct reference",
                "string property fails",
            ),
            (
                "dynamicRef",
                "$ref to $dynamicRef finds detached $dynamicAnchor",
                "non-number is invalid",
            ),
            (
                "dynamicRef",
                "$ref to $dynamicRef finds detached $dynamicAnchor",
                "number is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
                "An array containing non-strings is invalid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
                "An array of strings is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
                "The recursive part is not valid against the root",
            ),
            (
                "dynamicRef",
                "A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
                "The recursive part is valid against the root",
            ),
            (
                "dynamicRef",
                "A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor",
                "The recursive part doesn't need to validate against the root",
            ),
            (
                "dynamicRef",
                "A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
                "An array containing non-strings is invalid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
                "An array of strings is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor",
                "An array containing non-strings is invalid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor",
                "An array of strings is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
                "Any array is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
                "An array containing non-strings is invalid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
                "An array of strings is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
                "Any array is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef without anchor in fragment behaves identical to $ref",
                "An array of numbers is valid",
            ),
            (
                "dynamicRef",
                "A $dynamicRef without anchor in fragment behaves identical to $ref",
                "An array of strings is invalid",
            ),
            (
                "dynamicRef",
                "An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution",
                "Any array is valid",
            ),
            (
                "dynamicRef",
                "after leaving a dynamic scope, it is not used by a $dynamicRef",
                "/then/$defs/thingy is the final stop for the $dynamicRef",
            ),
            (
                "dynamicRef",
                "after leaving a dynamic scope, it is not used by a $dynamicRef",
                "first_scope is not in dynamic scope for the $dynamicRef",
            ),
            (
                "dynamicRef",
                "after leaving a dynamic scope, it is not used by a $dynamicRef",
                "string matches /$defs/thingy, but the $dynamicRef does not stop here",
            ),
            (
                "dynamicRef",
                "multiple dynamic paths to the $dynamicRef keyword",
                "number list with number values",
            ),
            (
                "dynamicRef",
                "multiple dynamic paths to the $dynamicRef keyword",
                "number list with string values",
            ),
            (
                "dynamicRef",
                "multiple dynamic paths to the $dynamicRef keyword",
                "string list with number values",
            ),
            (
                "dynamicRef",
                "multiple dynamic paths to the $dynamicRef keyword",
                "string list with string values",
            ),
            (
                "unevaluatedItems",
                "unevaluatedItems with $dynamicRef",
                "with no unevaluated items",
            ),
            (
                "unevaluatedItems",
                "unevaluatedItems with $dynamicRef",
                "with unevaluated items",
            ),
            (
                "unevaluatedProperties",
                "unevaluatedProperties with $dynamicRef",
                "with no unevaluated properties",
            ),
            (
                "unevaluatedProperties",
                "unevaluatedProperties with $dynamicRef",
                "with unevaluated properties",
            ),
        ],
    ),
    (
        "The remotes that refer dynamically are refused with the rest.",
        &[
            (
                "dynamicRef",
                "$ref and $dynamicAnchor are independent of order - $defs first",
                "correct extended schema",
            ),
            (
                "dynamicRef",
                "$ref and $dynamicAnchor are independent of order - $defs first",
                "incorrect extended schema",
            ),
            (
                "dynamicRef",
                "$ref and $dynamicAnchor are independent of order - $defs first",
                "incorrect parent schema",
            ),
            (
                "dynamicRef",
                "$ref and $dynamicAnchor are independent of order - $ref first",
                "correct extended schema",
            ),
            (
                "dynamicRef",
                "$ref and $dynamicAnchor are independent of order - $ref first",
                "incorrect extended schema",
            ),
            (
                "dynamicRef",
                "$ref and $dynamicAnchor are independent of order - $ref first",
                "incorrect parent schema",
            ),
            (
                "dynamicRef",
                "strict-tree schema, guards against misspelled properties",
                "instance with correct field",
            ),
            (
                "dynamicRef",
                "strict-tree schema, guards against misspelled properties",
                "instance with misspelled field",
            ),
            (
                "dynamicRef",
                "tests for implementation dynamic anchor and reference link",
                "correct extended schema",
            ),
            (
                "dynamicRef",
                "tests for implementation dynamic anchor and reference link",
                "incorrect extended schema",
            ),
            (
                "dynamicRef",
                "tests for implementation dynamic anchor and reference link",
                "incorrect parent schema",
            ),
        ],
    ),
    (
        "`format` is asserted: a schema that names one means it.",
        &[
            (
                "format",
                "date format",
                "invalid date string is only an annotation by default",
            ),
            (
                "format",
                "date-time format",
                "invalid date-time string is only an annotation by default",
            ),
            (
                "format",
                "duration format",
                "invalid duration string is only an annotation by default",
            ),
            (
                "format",
                "email format",
                "invalid email string is only an annotation by default",
            ),
            (
                "format",
                "hostname format",
                "invalid hostname string is only an annotation by default",
            ),
            (
                "format",
                "idn-email format",
                "invalid idn-email string is only an annotation by default",
            ),
            (
                "format",
                "idn-hostname format",
                "invalid idn-hostname string is only an annotation by default",
            ),
            (
                "format",
                "ipv4 format",
                "invalid ipv4 string is only an annotation by default",
            ),
            (
                "format",
                "ipv6 format",
                "invalid ipv6 string is only an annotation by default",
            ),
            (
                "format",
                "iri format",
                "invalid iri string is only an annotation by default",
            ),
            (
                "format",
                "iri-reference format",
                "invalid iri-reference string is only an annotation by default",
            ),
            (
                "format",
                "json-pointer format",
                "invalid json-pointer string is only an annotation by default",
            ),
            (
                "format",
                "regex format",
                "invalid regex string is only an annotation by default",
            ),
            (
                "format",
                "relative-json-pointer format",
                "invalid relative-json-pointer string is only an annotation by default",
            ),
            (
                "format",
                "time format",
                "invalid time string is only an annotation by default",
            ),
            (
                "format",
                "uri format",
                "invalid uri string is only an annotation by default",
            ),
            (
                "format",
                "uri-reference format",
                "invalid uri-reference string is only an annotation by default",
            ),
            (
                "format",
                "uri-template format",
                "invalid uri-template string is only an annotation by default",
            ),
            (
                "format",
                "uuid format",
                "invalid uuid string is only an annotation by default",
            ),
        ],
    ),
    (
        "Schemas are written in 2020-12 itself; a `$schema` of one's own is refused.",
        &[
            (
                "vocabulary",
                "ignore unrecognized optional vocabulary",
                "number value",
            ),
            (
                "vocabulary",
                "ignore unrecognized optional vocabulary",
                "string value",
            ),
            (
                "vocabulary",
                "schema that uses custom metaschema with with no validation vocabulary",
                "applicator vocabulary still works",
            ),
            (
                "vocabulary",
                "schema that uses custom metaschema with with no validation vocabulary",
                "no validation: invalid number, but it still validates",
            ),
            (
                "vocabulary",
                "schema that uses custom metaschema with with no validation vocabulary",
                "no validation: valid number",
            ),
        ],
    ),
];
