using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Schema;

/// <summary>What is wrong with a field: Kubernetes' <c>field.ErrorType</c>, the reasons of a Status' causes.</summary>
public enum FieldErrorKind
{
    Required,
    Duplicate,
    Invalid,
    TypeInvalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooMany,
}

/// <summary>One fault in one field of an object, in the form and words of Kubernetes' <c>field.Error</c>.</summary>
/// <param name="Field">Path such as <c>spec.env[2].name</c>; empty for the object itself.</param>
/// <param name="Message">For people; without the field, as a Status' cause wants it.</param>
public sealed record FieldError(FieldErrorKind Kind, string Field, string Message)
{
    /// <summary>Characters of a bad value that a message repeats. Enough to recognise it by.</summary>
    private const int MaxShownValue = 256;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The <c>reason</c> of a Status' cause.</summary>
    public string Reason => "FieldValue" + Kind;

    public static FieldError Required(string field, string detail = "") => new(FieldErrorKind.Required, field, With("Required value", detail));

    public static FieldError Duplicate(string field, JsonNode? value) =>
        new(FieldErrorKind.Duplicate, field, "Duplicate value: " + Show(value));

    public static FieldError Invalid(string field, JsonNode? value, string detail) =>
        new(FieldErrorKind.Invalid, field, With("Invalid value: " + Show(value), detail));

    /// <summary>For values that must not be repeated, those of Secrets.</summary>
    public static FieldError Invalid(string field, string detail) => new(FieldErrorKind.Invalid, field, With("Invalid value", detail));

    public static FieldError TypeInvalid(string field, JsonNode? value, string detail) =>
        new(FieldErrorKind.TypeInvalid, field, With("Invalid value: " + Show(value), detail));

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<string> supported) => new(
        FieldErrorKind.NotSupported,
        field,
        $"Unsupported value: {Show(value)}: supported values: {string.Join(", ", supported.Select(each => Show(each)))}");

    public static FieldError Forbidden(string field, string detail) => new(FieldErrorKind.Forbidden, field, With("Forbidden", detail));

    public static FieldError TooLong(string field, long maximum) =>
        new(FieldErrorKind.TooLong, field, FormattableString.Invariant($"Too long: may not be more than {maximum} {(maximum == 1 ? "byte" : "bytes")}"));

    public static FieldError TooMany(string field, long actual, long maximum) => new(
        FieldErrorKind.TooMany,
        field,
        FormattableString.Invariant($"Too many: {actual}: must have at most {maximum} {(maximum == 1 ? "item" : "items")}"));

    public override string ToString() => Field.Length == 0 ? Message : $"{Field}: {Message}";

    private static string With(string message, string detail) => detail.Length == 0 ? message : $"{message}: {detail}";

    private static string Show(JsonNode? value)
    {
        var text = value?.ToJsonString(Readable) ?? "null";
        return text.Length <= MaxShownValue ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, MaxShownValue)}…");
    }
}
