using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.ApiServer.Storage;

/// <summary>
/// An object as UTF-8 JSON with a gap where its resourceVersion goes. The revision is known only inside the serialized write;
/// filling a gap there costs a copy, encoding there would make everybody wait.
/// </summary>
public sealed class EncodedObject
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000 };

    private readonly byte[] _json;
    private readonly int _gap;

    private EncodedObject(byte[] json, int gap) => (_json, _gap) = (json, gap);

    public int Length => _json.Length;

    /// <param name="obj">Its <c>metadata</c> must be an object; a resourceVersion in it is left out.</param>
    public static EncodedObject From(JsonObject obj)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        var gap = 0;
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in obj)
            {
                writer.WritePropertyName(name);
                if (name == "metadata")
                {
                    writer.WriteStartObject();
                    WriteMetadata(writer, value!.AsObject(), out gap);
                    writer.WriteEndObject();
                }
                else
                {
                    Write(writer, value);
                }
            }

            writer.WriteEndObject();
        }

        if (gap == 0)
        {
            throw new ArgumentException("the object has no metadata", nameof(obj));
        }

        return new EncodedObject(buffer.WrittenSpan.ToArray(), gap);
    }

    public byte[] WithRevision(long revision)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(revision, digits, out var length);
        var whole = new byte[_json.Length + length];
        _json.AsSpan(0, _gap).CopyTo(whole);
        digits[..length].CopyTo(whole.AsSpan(_gap));
        _json.AsSpan(_gap).CopyTo(whole.AsSpan(_gap + length));
        return whole;
    }

    private static void WriteMetadata(Utf8JsonWriter writer, JsonObject metadata, out int gap)
    {
        foreach (var (name, value) in metadata)
        {
            if (name != "resourceVersion")
            {
                writer.WritePropertyName(name);
                Write(writer, value);
            }
        }

        writer.WriteString("resourceVersion", "");
        // Just written: two quotes; the gap is between them.
        gap = checked((int)(writer.BytesCommitted + writer.BytesPending)) - 1;
    }

    private static void Write(Utf8JsonWriter writer, JsonNode? value)
    {
        if (value is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            value.WriteTo(writer);
        }
    }
}
