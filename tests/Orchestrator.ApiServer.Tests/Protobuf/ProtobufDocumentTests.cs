using System.Text;
using System.Text.Json;
using CsCheck;
using Google.Protobuf;
using Orchestrator.ApiServer.Protobuf;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Tests.Protobuf;

public sealed class ProtobufDocumentTests
{
    private const string Area = "Protobuf";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Bodies as kubectl 1.35.2 sent them.</summary>
    public static TheoryData<string> Cases => Golden.Cases(Area);

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_kubectl_sends_is_read_as_the_json_it_stands_for(string name)
    {
        var document = ProtobufDocument.Parse(Convert.FromBase64String(Golden.Read(Area, name, "input.base64")!.Trim()), DocumentLimits.Default);
        Golden.Check(Area, name, "expected.json", (document.Root?.ToJsonString(Indented) ?? document.Error?.Message) + "\n");
    }

    [Fact]
    public void Zero_is_a_value_where_kubernetes_has_a_pointer_and_absent_elsewhere()
    {
        var options = Envelope("v1", "DeleteOptions", Message(
            output => Number(output, 1, 0), output => Bytes(output, 2, Message(inner => Text(inner, 1, "uid"))), output => Number(output, 3, 0), output => Text(output, 4, "Foreground")));
        Assert.Equal(
            """{"apiVersion":"v1","kind":"DeleteOptions","gracePeriodSeconds":0,"preconditions":{"uid":"uid"},"orphanDependents":false,"propagationPolicy":"Foreground"}""",
            Parse(options).Root!.ToJsonString());

        var scale = Envelope("autoscaling/v1", "Scale", Message(
            output => Bytes(output, 1, Message(inner => Text(inner, 1, "web"), inner => Text(inner, 2, ""), inner => Number(inner, 7, 0))),
            output => Bytes(output, 2, Message(inner => Number(inner, 1, 0)))));
        Assert.Equal(
            """{"apiVersion":"autoscaling/v1","kind":"Scale","metadata":{"name":"web"},"spec":{"replicas":0}}""", Parse(scale).Root!.ToJsonString());
    }

    [Fact]
    public void Times_maps_lists_and_raw_json_are_what_they_are_in_json()
    {
        var owner = Message(output => Text(output, 1, "WebApp"), output => Text(output, 3, "web"), output => Text(output, 4, "u"), output => Text(output, 5, "orchestrator.dev/v1"), output => Number(output, 6, 1));
        var metadata = Message(
            output => Bytes(output, 8, Message(inner => Number(inner, 1, 1_767_323_045))),
            output => Bytes(output, 9, []),
            output => Bytes(output, 11, Message(inner => Text(inner, 1, "a"), inner => Text(inner, 2, "b"))),
            output => Bytes(output, 11, Message(inner => Text(inner, 1, "c"))),
            output => Bytes(output, 13, owner),
            output => Text(output, 14, "f1"),
            output => Text(output, 14, "f2"));
        var revision = Envelope("apps/v1", "ControllerRevision", Message(
            output => Bytes(output, 1, metadata),
            output => Bytes(output, 2, Message(inner => Text(inner, 1, """{"spec":{"image":"nginx"}}"""))),
            output => Number(output, 3, 7)));
        Assert.Equal(
            """
            {"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"creationTimestamp":"2026-01-02T03:04:05Z","labels":{"a":"b","c":""},"ownerReferences":[{"kind":"WebApp","name":"web","uid":"u","apiVersion":"orchestrator.dev/v1","controller":true}],"finalizers":["f1","f2"]},"data":{"spec":{"image":"nginx"}},"revision":7}
            """.Trim(),
            Parse(revision).Root!.ToJsonString());

        var lease = Envelope("coordination.k8s.io/v1", "Lease", Message(output => Bytes(output, 2, Message(
            inner => Number(inner, 2, 10), inner => Bytes(inner, 4, Message(time => Number(time, 1, 1_767_323_045), time => Number(time, 2, 123_456_789)))))));
        Assert.Equal(
            """{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","spec":{"leaseDurationSeconds":10,"renewTime":"2026-01-02T03:04:05.123456Z"}}""",
            Parse(lease).Root!.ToJsonString());
    }

    [Fact]
    public void What_the_table_does_not_know_is_skipped()
    {
        var body = Envelope("v1", "Namespace", Message(output => Text(output, 99, "new"), output => Bytes(output, 1, Message(inner => Number(inner, 77, 1), inner => Text(inner, 1, "x")))));
        Assert.Equal("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}}""", Parse(body).Root!.ToJsonString());
    }

    [Fact]
    public void An_envelope_of_json_is_read_as_json()
    {
        var body = Envelope("orchestrator.dev/v1", "WebApp", Encoding.UTF8.GetBytes("""{"kind":"WebApp"}"""), "application/json");
        Assert.Equal("""{"kind":"WebApp"}""", Parse(body).Root!.ToJsonString());
    }

    [Theory]
    [InlineData("v1", "Pod", "unable to decode the protobuf body: no kind \"Pod\" is known in version \"v1\"")]
    [InlineData("events.k8s.io/v1", "Event", "unable to decode the protobuf body: no kind \"Event\" is known in version \"events.k8s.io/v1\"")]
    public void A_kind_that_is_not_known_is_named(string apiVersion, string kind, string message) =>
        Assert.Equal(message, Parse(Envelope(apiVersion, kind, [])).Error?.Message);

    [Fact]
    public void Bytes_that_are_no_message_are_an_error()
    {
        Assert.Contains("does not start with the mark", Parse("{}"u8.ToArray()).Error?.Message, StringComparison.Ordinal);
        Assert.NotNull(Parse([.. "k8s\0"u8, 0xFF]).Error);
        Assert.Contains(
            "wrong wire type Varint for field 1 of ObjectMeta",
            Parse(Envelope("v1", "Secret", Message(output => Bytes(output, 1, Message(inner => Number(inner, 1, 1)))))).Error?.Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "invalid JSON",
            Parse(Envelope("apps/v1", "ControllerRevision", Message(output => Bytes(output, 2, Message(inner => Text(inner, 1, "{")))))).Error?.Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "a time is out of range",
            Parse(Envelope("v1", "Secret", Message(output => Bytes(output, 1, Message(inner => Bytes(inner, 8, Message(time => Number(time, 1, long.MaxValue)))))))).Error?.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Size_and_values_are_bounded()
    {
        var many = Envelope("v1", "Secret", Message(output => Bytes(output, 1, Message([.. Enumerable.Repeat<Action<CodedOutputStream>>(inner => Text(inner, 14, "f"), 50)]))));
        Assert.True(ProtobufDocument.Parse(many, new DocumentLimits { MaxValues = 40 }).Error?.IsTooLarge);
        Assert.True(ProtobufDocument.Parse(many, new DocumentLimits { MaxBytes = 40 }).Error?.IsTooLarge);
        Assert.True(Parse(many).Succeeded);
    }

    [Fact]
    public void Whatever_the_bytes_it_answers()
    {
        var whole = Envelope("v1", "Secret", Message(
            output => Bytes(output, 1, Message(inner => Text(inner, 1, "s"), inner => Bytes(inner, 8, Message(time => Number(time, 1, 5))), inner => Text(inner, 14, "f"))),
            output => Bytes(output, 2, Message(inner => Text(inner, 1, "k"), inner => Text(inner, 2, "v"))),
            output => Number(output, 5, 1)));
        Gen.Select(Gen.Int[4, whole.Length - 1], Gen.Byte, Gen.Int[0, whole.Length]).Sample((place, value, length) =>
        {
            var mangled = whole[..Math.Max(length, 4)].ToArray();
            mangled[Math.Min(place, mangled.Length - 1)] = value;
            var document = Parse(mangled);
            return document.Succeeded || document.Error.Message.Length > 0;
        });
        Gen.Byte.Array[0, 60].Sample(bytes => Parse([.. "k8s\0"u8, .. bytes]) is var document && (document.Succeeded || document.Error.Message.Length > 0));
    }

    private static ParsedDocument Parse(byte[] body) => ProtobufDocument.Parse(body, DocumentLimits.Default);

    private static byte[] Envelope(string apiVersion, string kind, byte[] raw, string contentType = "") =>
    [
        .. "k8s\0"u8,
        .. Message(
            output => Bytes(output, 1, Message(type => Text(type, 1, apiVersion), type => Text(type, 2, kind))),
            output => Bytes(output, 2, raw),
            output => Text(output, 4, contentType)),
    ];

    private static byte[] Message(params ReadOnlySpan<Action<CodedOutputStream>> fields)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        foreach (var write in fields)
        {
            write(output);
        }

        output.Flush();
        return stream.ToArray();
    }

    private static void Text(CodedOutputStream output, int number, string value)
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteString(value);
    }

    private static void Bytes(CodedOutputStream output, int number, byte[] value)
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value));
    }

    private static void Number(CodedOutputStream output, int number, long value)
    {
        output.WriteTag(number, WireFormat.WireType.Varint);
        output.WriteInt64(value);
    }
}
