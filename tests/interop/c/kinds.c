// The world `kinds` in C, for clang, wasi-libc and wit-bindgen.
//
// Arguments belong to the function. What a result doesn't take over stays allocated: an instance
// serves one call.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"

// The generated names without their path.
#define VALUES(name) exports_interop_kinds_values_##name

typedef kinds_string_t string;
typedef VALUES(person_t) person;
typedef VALUES(point_t) point;
typedef VALUES(shape_t) shape;

static void *take(size_t count, size_t size) {
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL) abort();
    return memory;
}

static string text(const char *value) {
    string copy;
    kinds_string_dup(&copy, value);
    return copy;
}

static string concat(string a, string b) {
    string joined = {take(a.len + b.len, 1), a.len + b.len};
    memcpy(joined.ptr, a.ptr, a.len);
    memcpy(joined.ptr + a.len, b.ptr, b.len);
    return joined;
}

static bool same(string a, string b) {
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

// The length in UTF-8 of the character that begins with `byte`.
static size_t length(uint8_t byte) {
    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

static string encode(uint32_t code) {
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t FIRST[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    string encoded = {take(len, 1), len};
    for (size_t at = len - 1; at > 0; at--, code >>= 6) encoded.ptr[at] = 0x80 | (code & 0x3f);
    encoded.ptr[0] = FIRST[len] | code;
    return encoded;
}

void exports_kinds_greet(kinds_person_t *person, string *title, string *ret) {
    string called = person->nickname.is_some ? person->nickname.val : person->name;
    if (title != NULL) called = concat(concat(*title, text(" ")), person->name);
    *ret = concat(concat(text("Hello, "), called), text("!"));
}

void VALUES(step)(VALUES(signed_integers_t) *s, VALUES(unsigned_integers_t) *u,
                  VALUES(tuple2_signed_integers_unsigned_integers_t) *ret) {
    // By way of unsigned numbers, which wrap around by definition.
    ret->f0.bits8 = (int8_t)(uint8_t)(s->bits8 + 1);
    ret->f0.bits16 = (int16_t)(uint16_t)(s->bits16 + 1);
    ret->f0.bits32 = (int32_t)((uint32_t)s->bits32 + 1);
    ret->f0.bits64 = (int64_t)((uint64_t)s->bits64 + 1);
    ret->f1.bits8 = u->bits8 + 1;
    ret->f1.bits16 = u->bits16 + 1;
    ret->f1.bits32 = u->bits32 + 1;
    ret->f1.bits64 = u->bits64 + 1;
}

bool VALUES(add)(int64_t a, int64_t b, int64_t *ret, string *err) {
    if (!__builtin_add_overflow(a, b, ret)) return true;
    *err = text("overflow");
    return false;
}

bool VALUES(sum)(kinds_list_u64_t *numbers, uint64_t *ret, VALUES(failure_t) *err) {
    *ret = 0;
    for (size_t i = 0; i < numbers->len; i++) {
        uint64_t number = numbers->ptr[i];
        if (__builtin_add_overflow(*ret, number, ret)) {
            err->tag = INTEROP_KINDS_TYPES_FAILURE_TOO_LARGE;
            err->val.too_large = number;
            return false;
        }
    }
    return true;
}

void VALUES(inspect)(float single, double number, kinds_tuple3_f32_f64_bool_t *ret) {
    *ret = (kinds_tuple3_f32_f64_bool_t){single, number, isfinite(single) && isfinite(number)};
}

void VALUES(scale)(kinds_list_f32_t *numbers, float by, kinds_list_f64_t *ret) {
    *ret = (kinds_list_f64_t){take(numbers->len, sizeof(double)), numbers->len};
    for (size_t i = 0; i < ret->len; i++) ret->ptr[i] = (double)numbers->ptr[i] * (double)by;
}

bool VALUES(next_char)(uint32_t character, uint32_t *ret) {
    *ret = character == 0xd7ff ? 0xe000 : character + 1;
    return *ret <= 0x10ffff;
}

void VALUES(reverse)(string *text, string *ret) {
    *ret = (string){take(text->len, 1), text->len};
    for (size_t at = 0; at < text->len;) {
        size_t size = length(text->ptr[at]);
        memcpy(ret->ptr + text->len - at - size, text->ptr + at, size);
        at += size;
    }
}

void VALUES(measure)(string *text, kinds_tuple2_u32_u32_t *ret) {
    *ret = (kinds_tuple2_u32_u32_t){text->len, 0};
    for (size_t at = 0; at < text->len; at += length(text->ptr[at])) ret->f1++;
}

void VALUES(join)(kinds_list_string_t *parts, uint32_t separator, string *ret) {
    *ret = text("");
    for (size_t i = 0; i < parts->len; i++) {
        if (i > 0) *ret = concat(*ret, encode(separator));
        *ret = concat(*ret, parts->ptr[i]);
    }
}

void VALUES(mask)(kinds_list_u8_t *data, uint8_t key, kinds_list_u8_t *ret) {
    for (size_t i = 0; i < data->len; i++) data->ptr[i] ^= key;
    *ret = *data;
}

bool VALUES(bounds)(VALUES(list_point_t) *points, VALUES(tuple2_point_point_t) *ret) {
    if (points->len == 0) return false;
    point low = points->ptr[0], high = low;
    for (size_t i = 1; i < points->len; i++) {
        point it = points->ptr[i];
        low = (point){it.x < low.x ? it.x : low.x, it.y < low.y ? it.y : low.y};
        high = (point){it.x > high.x ? it.x : high.x, it.y > high.y ? it.y : high.y};
    }
    *ret = (VALUES(tuple2_point_point_t)){low, high};
    return true;
}

bool VALUES(birthday)(person *somebody, person *ret, VALUES(problem_t) *err) {
    if (somebody->age == 255) {
        *err = (VALUES(problem_t)){1, text("255 is the last age"), {false, 0}};
        return false;
    }
    somebody->age++;
    *ret = *somebody;
    return true;
}

bool VALUES(find)(VALUES(list_person_t) *people, string *name, person *ret, VALUES(failure_t) *err) {
    if (name->len == 0) {
        err->tag = INTEROP_KINDS_TYPES_FAILURE_INVALID;
        err->val.invalid = (VALUES(problem_t)){2, text("no name"), {true, 0}};
        return false;
    }
    size_t found = 0;
    kinds_list_string_t nicknames = {take(people->len, sizeof(string)), 0};
    for (size_t i = 0; i < people->len; i++) {
        person *it = &people->ptr[i];
        if (!same(it->name, *name)) continue;
        if (it->nickname.is_some) nicknames.ptr[nicknames.len++] = it->nickname.val;
        *ret = *it;
        found++;
    }
    if (found > 1) {
        err->tag = INTEROP_KINDS_TYPES_FAILURE_AMBIGUOUS;
        err->val.ambiguous = nicknames;
    } else {
        err->tag = INTEROP_KINDS_TYPES_FAILURE_NOT_FOUND;
    }
    return found == 1;
}

bool VALUES(area)(shape *it, double *ret, string *err) {
    switch (it->tag) {
    case INTEROP_KINDS_TYPES_SHAPE_CIRCLE:
        *ret = M_PI * it->val.circle * it->val.circle;
        return true;
    case INTEROP_KINDS_TYPES_SHAPE_RECTANGLE:
        *ret = it->val.rectangle.f0 * it->val.rectangle.f1;
        return true;
    case INTEROP_KINDS_TYPES_SHAPE_POLYGON: {
        size_t len = it->val.polygon.len;
        double twice = 0;
        for (size_t i = 0; i < len; i++) {
            point a = it->val.polygon.ptr[i], b = it->val.polygon.ptr[(i + 1) % len];
            twice += (double)a.x * b.y - (double)b.x * a.y;
        }
        *ret = fabs(twice) / 2;
        return true;
    }
    default: {
        bool label = it->tag == INTEROP_KINDS_TYPES_SHAPE_LABEL;
        *err = text(label ? "a label has no area" : "nothing has no area");
        return false;
    }
    }
}

void VALUES(describe)(shape *it, string *ret) {
    switch (it->tag) {
    case INTEROP_KINDS_TYPES_SHAPE_NOTHING:
        *ret = text("nothing");
        break;
    case INTEROP_KINDS_TYPES_SHAPE_CIRCLE:
        *ret = text("a circle");
        break;
    case INTEROP_KINDS_TYPES_SHAPE_RECTANGLE:
        *ret = text("a rectangle");
        break;
    case INTEROP_KINDS_TYPES_SHAPE_POLYGON: {
        char buffer[40];
        snprintf(buffer, sizeof buffer, "a polygon of %zu points", it->val.polygon.len);
        *ret = text(buffer);
        break;
    }
    case INTEROP_KINDS_TYPES_SHAPE_LABEL: {
        bool coloured = it->val.label.f1.is_some;
        *ret = concat(text(coloured ? "the coloured label " : "the label "), it->val.label.f0);
        break;
    }
    }
}

VALUES(color_t) VALUES(mix)(VALUES(color_t) a, VALUES(color_t) b) {
    // The three add up to 3.
    return a == b ? a : 3 - a - b;
}

VALUES(permissions_t) VALUES(toggle)(VALUES(permissions_t) have, VALUES(permissions_t) change) {
    return have ^ change;
}

bool VALUES(deepen)(kinds_option_u32_t *value, kinds_option_u32_t *ret) {
    ret->is_some = value != NULL;
    ret->val = value != NULL && value->is_some ? value->val + 1 : 0;
    return true;
}

void VALUES(swap)(VALUES(list_result_string_u32_t) *outcomes, VALUES(list_result_u32_string_t) *ret) {
    *ret = (VALUES(list_result_u32_string_t)){take(outcomes->len, sizeof *ret->ptr), outcomes->len};
    for (size_t i = 0; i < ret->len; i++) {
        VALUES(result_string_u32_t) *it = &outcomes->ptr[i];
        ret->ptr[i].is_err = !it->is_err;
        if (it->is_err) ret->ptr[i].val.ok = it->val.err;
        else ret->ptr[i].val.err = it->val.ok;
    }
}

void VALUES(negate)(VALUES(result_void_void_t) *bare, VALUES(result_u8_void_t) *number,
                    VALUES(result_void_string_t) *text,
                    VALUES(tuple3_result_void_void_result_void_u8_result_string_void_t) *ret) {
    ret->f0.is_err = !bare->is_err;
    ret->f1.is_err = !number->is_err;
    ret->f1.val.err = number->val.ok;
    ret->f2.is_err = !text->is_err;
    ret->f2.val.ok = text->val.err;
}

void VALUES(group)(VALUES(list_tuple2_color_string_t) *pairs,
                   VALUES(list_tuple2_color_list_string_t) *ret) {
    *ret = (VALUES(list_tuple2_color_list_string_t)){take(pairs->len, sizeof *ret->ptr), 0};
    for (size_t i = 0; i < pairs->len; i++) {
        size_t at = 0;
        while (at < ret->len && ret->ptr[at].f0 != pairs->ptr[i].f0) at++;
        kinds_list_string_t *texts = &ret->ptr[at].f1;
        if (at == ret->len) {
            ret->ptr[ret->len++].f0 = pairs->ptr[i].f0;
            texts->ptr = take(pairs->len, sizeof(string));
        }
        texts->ptr[texts->len++] = pairs->ptr[i].f1;
    }
}

bool VALUES(check)(bool value) {
    return value;
}

void VALUES(touch)(void) {}
