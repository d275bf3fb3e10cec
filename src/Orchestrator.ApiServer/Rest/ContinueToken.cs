using System.Buffers.Text;
using System.Text.Json;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Where a list in pieces goes on: the revision it is of, and the last object given. Opaque to clients.</summary>
internal sealed record ContinueToken(long Revision, string Namespace, string Name)
{
    public string Encode() => Base64Url.EncodeToString(
        JsonSerializer.SerializeToUtf8Bytes(new Fields(Revision, Namespace, Name), RestJson.Default.Fields));

    /// <returns>Null when it is none that this server made.</returns>
    public static ContinueToken? Decode(string text)
    {
        try
        {
            var fields = JsonSerializer.Deserialize(Base64Url.DecodeFromChars(text), RestJson.Default.Fields);
            return fields is { Rv: > 0, Ns: not null, Name: not null } ? new ContinueToken(fields.Rv, fields.Ns, fields.Name) : null;
        }
        catch (Exception malformed) when (malformed is FormatException or JsonException)
        {
            return null;
        }
    }

    internal sealed record Fields(long Rv, string? Ns, string? Name);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(ContinueToken.Fields))]
internal sealed partial class RestJson : System.Text.Json.Serialization.JsonSerializerContext;
