using System.Text.Json.Serialization;

namespace Orchestrator.ControlPlane.Acme;

// The objects of RFC 8555, 7.1, as far as they are used here. Any part may be missing: it is the other side's to say.

internal sealed record AcmeDirectory(Uri? NewNonce, Uri? NewAccount, Uri? NewOrder, AcmeDirectoryMeta? Meta);

internal sealed record AcmeDirectoryMeta(bool ExternalAccountRequired);

/// <param name="TermsOfServiceAgreed">Null in a change of the contact.</param>
internal sealed record AcmeAccountRequest(IReadOnlyList<string> Contact, bool? TermsOfServiceAgreed = null);

internal sealed record AcmeAccountObject(string? Status, IReadOnlyList<string>? Contact);

internal sealed record AcmeIdentifier(string Type, string Value);

internal sealed record AcmeOrderRequest(IReadOnlyList<AcmeIdentifier> Identifiers);

internal sealed record AcmeOrderObject(string? Status, IReadOnlyList<Uri>? Authorizations, Uri? Finalize, Uri? Certificate, AcmeProblem? Error);

internal sealed record AcmeAuthorization(string? Status, AcmeIdentifier? Identifier, IReadOnlyList<AcmeChallenge>? Challenges);

internal sealed record AcmeChallenge(string? Type, Uri? Url, string? Token, string? Status, AcmeProblem? Error);

/// <param name="Csr">DER, in base64url.</param>
internal sealed record AcmeFinalizeRequest(string Csr);

/// <summary>RFC 7807, with RFC 8555's subproblems.</summary>
internal sealed record AcmeProblem(string? Type, string? Detail, IReadOnlyList<AcmeProblem>? Subproblems, AcmeIdentifier? Identifier)
{
    private const string Prefix = "urn:ietf:params:acme:error:";

    /// <summary>Of texts of others no more is shown than fits into a condition.</summary>
    private const int MaxDetail = 500;

    [JsonIgnore]
    public string? ShortType => Type?.StartsWith(Prefix, StringComparison.Ordinal) == true ? Type[Prefix.Length..] : Type;

    public override string ToString()
    {
        var detail = Detail is { Length: > MaxDetail } ? Detail[..MaxDetail] + "…" : Detail;
        var own = $"{(Identifier is null ? "" : $"{Identifier.Value}: ")}{detail ?? "no detail"} ({ShortType ?? "no type"})";
        return Subproblems is { Count: > 0 } ? $"{own}: {string.Join("; ", Subproblems.Take(5))}" : own;
    }
}

/// <summary>The values of <c>status</c> that mean something here.</summary>
internal static class AcmeStatus
{
    public const string Pending = "pending";
    public const string Ready = "ready";
    public const string Processing = "processing";
    public const string Valid = "valid";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AcmeDirectory))]
[JsonSerializable(typeof(AcmeAccountRequest))]
[JsonSerializable(typeof(AcmeAccountObject))]
[JsonSerializable(typeof(AcmeOrderRequest))]
[JsonSerializable(typeof(AcmeOrderObject))]
[JsonSerializable(typeof(AcmeAuthorization))]
[JsonSerializable(typeof(AcmeFinalizeRequest))]
[JsonSerializable(typeof(AcmeProblem))]
[JsonSerializable(typeof(JsonWebKey))]
[JsonSerializable(typeof(JwsHeader))]
[JsonSerializable(typeof(JwsMessage))]
internal sealed partial class AcmeJson : JsonSerializerContext;
