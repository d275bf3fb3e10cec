using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Protobuf;

/// <summary>
/// Decodes request bodies of <c>application/vnd.kubernetes.protobuf</c>, which newer clients send for Kubernetes' own kinds, into the
/// JSON they stand for: <c>k8s\0</c>, then runtime.Unknown with the kind and the object. Answers are JSON, which clients accept.
/// </summary>
public static class ProtobufDocument
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";

    /// <summary>Groups of the kinds that can be decoded; null where the kind is in every group.</summary>
    private static readonly FrozenDictionary<string, string?> Groups = new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["Namespace"] = "",
        ["Secret"] = "",
        ["ConfigMap"] = "",
        ["Event"] = "",
        ["Lease"] = "coordination.k8s.io",
        ["ControllerRevision"] = "apps",
        ["Scale"] = "autoscaling",
        ["SelfSubjectAccessReview"] = "authorization.k8s.io",
        ["SubjectAccessReview"] = "authorization.k8s.io",
        ["SelfSubjectRulesReview"] = "authorization.k8s.io",
        ["SelfSubjectReview"] = "authentication.k8s.io",
        ["TokenReview"] = "authentication.k8s.io",
        ["PartialObjectMetadata"] = "meta.k8s.io",
        ["DeleteOptions"] = null,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    public static ParsedDocument Parse(ReadOnlySpan<byte> body, DocumentLimits limits)
    {
        if (ParsedDocument.Oversize(body.Length, limits) is { } oversize)
        {
            return oversize;
        }

        if (!body.StartsWith(Magic))
        {
            return Fail("it does not start with the mark of Kubernetes' protobuf");
        }

        try
        {
            var envelope = Envelope.Read(new CodedInputStream(body[Magic.Length..].ToArray()));
            return Decode(envelope, limits);
        }
        catch (Exception malformed) when (malformed is InvalidProtocolBufferException or MalformedDocumentException)
        {
            return malformed is MalformedDocumentException { IsTooLarge: true } ? ParsedDocument.TooLarge(malformed.Message) : Fail(malformed.Message);
        }
    }

    private static ParsedDocument Decode(Envelope envelope, DocumentLimits limits)
    {
        if (envelope.ContentEncoding.Length > 0)
        {
            return Fail($"its content encoding {envelope.ContentEncoding} is not supported");
        }

        if (envelope.ContentType == "application/json")
        {
            return JsonDocumentParser.Parse(envelope.Raw.Span, limits);
        }

        var slash = envelope.ApiVersion.LastIndexOf('/');
        var group = slash < 0 ? "" : envelope.ApiVersion[..slash];
        if (!Groups.TryGetValue(envelope.Kind, out var expected) || (expected is not null && expected != group))
        {
            return Fail($"no kind \"{envelope.Kind}\" is known in version \"{envelope.ApiVersion}\"");
        }

        var resource = new JsonObject { ["apiVersion"] = envelope.ApiVersion, ["kind"] = envelope.Kind };
        var reader = new ProtobufReader(limits);
        reader.ReadInto(resource, envelope.Raw, ProtobufMessage.Get(envelope.Kind));
        return new ParsedDocument(resource, [], null);
    }

    private static ParsedDocument Fail(string message) => ParsedDocument.Fail("unable to decode the protobuf body: " + message);

    /// <summary>runtime.Unknown of <c>k8s.io/apimachinery/pkg/runtime/generated.proto</c>.</summary>
    private sealed record Envelope(string ApiVersion, string Kind, ByteString Raw, string ContentEncoding, string ContentType)
    {
        public static Envelope Read(CodedInputStream input)
        {
            var envelope = new Envelope("", "", ByteString.Empty, "", "");
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                ProtobufReader.Expect(tag, WireFormat.WireType.LengthDelimited, "Unknown");
                envelope = WireFormat.GetTagFieldNumber(tag) switch
                {
                    1 => envelope.WithType(new CodedInputStream(input.ReadBytes().ToByteArray())),
                    2 => envelope with { Raw = input.ReadBytes() },
                    3 => envelope with { ContentEncoding = input.ReadString() },
                    4 => envelope with { ContentType = input.ReadString() },
                    _ => Skip(input, envelope),
                };
            }

            return envelope;
        }

        private Envelope WithType(CodedInputStream input)
        {
            var envelope = this;
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
            {
                ProtobufReader.Expect(tag, WireFormat.WireType.LengthDelimited, "TypeMeta");
                envelope = WireFormat.GetTagFieldNumber(tag) switch
                {
                    1 => envelope with { ApiVersion = input.ReadString() },
                    2 => envelope with { Kind = input.ReadString() },
                    _ => Skip(input, envelope),
                };
            }

            return envelope;
        }

        private static Envelope Skip(CodedInputStream input, Envelope envelope)
        {
            input.SkipLastField();
            return envelope;
        }
    }
}
