using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orchestrator.Api.Contents;

/// <summary>A file as it is laid down for a replica.</summary>
/// <param name="mount">Place of its <see cref="FileMount"/> in the template.</param>
/// <param name="path">Below the mount path.</param>
/// <param name="mode">Permission bits.</param>
public sealed class ContentFile(int mount, string path, int mode, byte[] bytes)
{
    public int Mount { get; } = mount;

    public string Path { get; } = path;

    public int Mode { get; } = mode;

    public byte[] Bytes { get; } = bytes;

    /// <summary>Whether a path leads to a file below the folder that it is for: relative, and without segments that are empty, <c>.</c> or <c>..</c>.</summary>
    public static bool IsPath(string path) => path.Split('/').All(segment => segment is not ("" or "." or ".."));
}

/// <summary>
/// All that a revision's references came to when it was made: variables and files. Kept as the data of an immutable Secret of type
/// <see cref="SecretType"/> named <see cref="NameOf"/>, so that every replica of the revision gets the same. Neither this nor its parts are
/// records: nothing may print them.
/// </summary>
public sealed class RevisionContent
{
    /// <summary>Of the Secrets that revisions' contents are kept in.</summary>
    public const string SecretType = "orchestrator.dev/revision-content";

    /// <summary>Bytes of all values of a Secret together: the API's limit, and so a revision's.</summary>
    public const int MaxSize = 1024 * 1024;

    /// <summary>
    /// Bytes of all variables and files as they come to a host. A value that stands in many files is kept once and laid down as often: a
    /// few large ones could fill the memory of whoever does it.
    /// </summary>
    public const int MaxLaidDown = 16 * MaxSize;

    /// <summary>What each of the other keys is for. They are numbers: names of objects and keys are longer than keys may be.</summary>
    private const string IndexKey = "index";

    /// <summary>By name. Variables that the template itself gives a value go before them.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<ContentFile> Files { get; init; } = [];

    /// <summary>Bytes of what is laid down; see <see cref="MaxLaidDown"/>.</summary>
    public long SizeLaidDown => Environment.Values.Sum(value => (long)Encoding.UTF8.GetByteCount(value)) + Files.Sum(file => (long)file.Bytes.Length);

    public static string NameOf(string app, string revision) => $"{app}-{revision}";

    /// <summary>As the data of a Secret. Equal values are there once.</summary>
    public Dictionary<string, byte[]> Encode()
    {
        var data = new Dictionary<string, byte[]>();
        var known = new Dictionary<string, string>();
        var environment = new JsonObject();
        foreach (var (name, value) in Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            environment[name] = KeyOf(Encoding.UTF8.GetBytes(value));
        }

        var files = new JsonArray();
        foreach (var file in Files)
        {
            files.Add(new JsonObject { ["mount"] = file.Mount, ["path"] = file.Path, ["mode"] = file.Mode, ["key"] = KeyOf(file.Bytes) });
        }

        data[IndexKey] = Encoding.UTF8.GetBytes(new JsonObject { ["env"] = environment, ["files"] = files }.ToJsonString());
        return data;

        string KeyOf(byte[] value)
        {
            var hash = Convert.ToHexString(SHA256.HashData(value));
            if (!known.TryGetValue(hash, out var key))
            {
                key = known.Count.ToString(System.Globalization.CultureInfo.InvariantCulture);
                known.Add(hash, key);
                data.Add(key, value);
            }

            return key;
        }
    }

    /// <exception cref="FormatException">It is not what <see cref="Encode"/> makes. The message holds none of it.</exception>
    public static RevisionContent Decode(IDictionary<string, byte[]>? data)
    {
        try
        {
            var index = JsonNode.Parse(data![IndexKey])!;
            var content = new RevisionContent
            {
                Environment = index["env"]!.AsObject().ToDictionary(
                    variable => variable.Key, variable => Encoding.UTF8.GetString(data[(string)variable.Value!]), StringComparer.Ordinal),
                Files =
                [
                    .. index["files"]!.AsArray().Select(file => new ContentFile(
                        (int)file!["mount"]!, (string)file["path"]!, (int)file["mode"]!, data[(string)file["key"]!])),
                ],
            };
            return content.SizeLaidDown <= MaxLaidDown && content.Files.All(file => ContentFile.IsPath(file.Path)) ? content
                : throw new FormatException("it has a path that leads elsewhere, or too much");
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or NullReferenceException or ArgumentNullException)
        {
            throw new FormatException("it is not a revision's content as Orchestrator writes it", malformed);
        }
    }
}
