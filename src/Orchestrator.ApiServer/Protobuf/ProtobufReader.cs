using System.Globalization;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Orchestrator.ApiServer.Schema.Documents;

namespace Orchestrator.ApiServer.Protobuf;

/// <summary>
/// Reads messages into JSON by their tables. Messages do not contain themselves, so their nesting bounds the recursion; values are
/// counted.
/// </summary>
/// <exception cref="InvalidProtocolBufferException">The bytes are no message.</exception>
/// <exception cref="MalformedDocumentException">They are, but not one that stands for JSON, or too large.</exception>
internal sealed class ProtobufReader(DocumentLimits limits)
{
    private static readonly ProtobufField Key = new(1, "key", "string", ProtobufCardinality.Pointer);

    private readonly DocumentBudget _budget = new(limits);

    public static void Expect(uint tag, WireFormat.WireType expected, string where)
    {
        if (WireFormat.GetTagWireType(tag) != expected)
        {
            throw new MalformedDocumentException(string.Create(
                CultureInfo.InvariantCulture,
                $"wrong wire type {WireFormat.GetTagWireType(tag)} for field {WireFormat.GetTagFieldNumber(tag)} of {where}"));
        }
    }

    public void ReadInto(JsonObject target, ByteString bytes, ProtobufMessage message)
    {
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (!message.Fields.TryGetValue(WireFormat.GetTagFieldNumber(tag), out var field))
            {
                // Of a newer Kubernetes.
                input.SkipLastField();
                continue;
            }

            Expect(tag, WireTypeOf(field), message.Name);
            _budget.AddValue(1);
            switch (field.Cardinality)
            {
                case ProtobufCardinality.Repeated:
                    Items(target, field.Name).Add(ReadValue(input, field));
                    break;
                case ProtobufCardinality.Map:
                    ReadEntry(Members(target, field.Name), input.ReadBytes(), field);
                    break;
                default:
                    Set(target, field, ReadValue(input, field));
                    break;
            }
        }
    }

    private static JsonArray Items(JsonObject target, string name)
    {
        if (target[name] is not JsonArray items)
        {
            target[name] = items = [];
        }

        return items;
    }

    private static JsonObject Members(JsonObject target, string name)
    {
        if (target[name] is not JsonObject members)
        {
            target[name] = members = [];
        }

        return members;
    }

    /// <summary>Kubernetes writes every field, also those that its JSON omits when they are zero.</summary>
    private static void Set(JsonObject target, ProtobufField field, JsonNode? value)
    {
        if (value is null || (field.Cardinality == ProtobufCardinality.Optional && IsZero(value)))
        {
            target.Remove(field.Name);
        }
        else
        {
            target[field.Name] = value;
        }
    }

    private static bool IsZero(JsonNode value) => value is JsonValue scalar
        && (scalar.TryGetValue(out string? text) ? text.Length == 0
            : scalar.TryGetValue(out bool flag) ? !flag
            : scalar.TryGetValue(out long number) && number == 0);

    private void ReadEntry(JsonObject target, ByteString entry, ProtobufField field)
    {
        var value = new ProtobufField(2, "value", field.Type, ProtobufCardinality.Pointer);
        var (key, read) = ("", Zero(field.Type));
        var input = entry.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    Expect(tag, WireTypeOf(Key), field.Name);
                    key = input.ReadString();
                    break;
                case 2:
                    Expect(tag, WireTypeOf(value), field.Name);
                    read = ReadValue(input, value);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        target[key] = read;
    }

    /// <returns>Null for a time that is not set.</returns>
    private JsonNode? ReadValue(CodedInputStream input, ProtobufField field)
    {
        switch (field.Type)
        {
            case "string":
                return input.ReadString();
            case "bytes":
                return input.ReadBytes().ToBase64();
            case "bool":
                return input.ReadBool();
            case "int32":
                return (long)input.ReadInt32();
            case "int64":
                return input.ReadInt64();
            case "Time":
                return ReadTime(input.ReadBytes(), "yyyy-MM-dd'T'HH:mm:ss'Z'");
            case "MicroTime":
                return ReadTime(input.ReadBytes(), "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
            case "RawExtension":
                return ReadRaw(input.ReadBytes());
            case "ExtraValue":
                return ReadTexts(input.ReadBytes());
            default:
                var nested = new JsonObject();
                ReadInto(nested, input.ReadBytes(), ProtobufMessage.Get(field.Type));
                return nested;
        }
    }

    /// <summary>Seconds since 1970 and nanoseconds; nothing at all is no time.</summary>
    private static JsonNode? ReadTime(ByteString bytes, string format)
    {
        if (bytes.IsEmpty)
        {
            return null;
        }

        var (seconds, nanoseconds) = (0L, 0);
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            Expect(tag, WireFormat.WireType.Varint, "Time");
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case 1:
                    seconds = input.ReadInt64();
                    break;
                case 2:
                    nanoseconds = input.ReadInt32();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (seconds < DateTimeOffset.MinValue.ToUnixTimeSeconds() || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            || nanoseconds is < 0 or > 999_999_999)
        {
            throw new MalformedDocumentException("a time is out of range");
        }

        return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100).UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>JSON in a field of its own, the first.</summary>
    private JsonNode? ReadRaw(ByteString bytes)
    {
        var raw = ByteString.Empty;
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == 1)
            {
                Expect(tag, WireFormat.WireType.LengthDelimited, "RawExtension");
                raw = input.ReadBytes();
            }
            else
            {
                input.SkipLastField();
            }
        }

        if (raw.IsEmpty)
        {
            return null;
        }

        var document = JsonDocumentParser.Parse(raw.Span, limits);
        return document.Succeeded ? document.Root : throw new MalformedDocumentException(document.Error.Message, document.Error.IsTooLarge);
    }

    private JsonArray ReadTexts(ByteString bytes)
    {
        var texts = new JsonArray();
        var input = bytes.CreateCodedInput();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == 1)
            {
                Expect(tag, WireFormat.WireType.LengthDelimited, "ExtraValue");
                _budget.AddValue(1);
                texts.Add((JsonNode)input.ReadString());
            }
            else
            {
                input.SkipLastField();
            }
        }

        return texts;
    }

    private static JsonNode? Zero(string type) => type == "ExtraValue" ? new JsonArray() : "";

    private static WireFormat.WireType WireTypeOf(ProtobufField field) =>
        field.Cardinality != ProtobufCardinality.Map && field.Type is "bool" or "int32" or "int64"
            ? WireFormat.WireType.Varint
            : WireFormat.WireType.LengthDelimited;
}
