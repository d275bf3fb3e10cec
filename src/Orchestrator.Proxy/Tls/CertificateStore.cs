using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Proxy.Tls;

/// <summary>What a Secret holds, as it is kept. PEM.</summary>
internal sealed record StoredSecret(byte[]? Certificate = null, byte[]? Key = null, byte[]? Authorities = null)
{
    public bool IsSame(StoredSecret other) =>
        Same(Certificate, other.Certificate) && Same(Key, other.Key) && Same(Authorities, other.Authorities);

    private static bool Same(byte[]? one, byte[]? other) => one is null ? other is null : other is not null && one.AsSpan().SequenceEqual(other);
}

/// <summary>
/// The last known certificates and keys on disk, so that a proxy that starts while the API server is away has them. Readable by its owner
/// alone; written aside, flushed and renamed, as the routes are.
/// </summary>
internal sealed partial class CertificateStore(string folder, ILogger<CertificateStore> logger)
{
    private const int Version = 1;

    public string Path { get; } = System.IO.Path.Combine(folder, "certificates.json");

    /// <returns>By name of the Secret; none when there is no file, or none that can be read.</returns>
    public IReadOnlyDictionary<string, StoredSecret> Load()
    {
        try
        {
            using var file = File.OpenRead(Path);
            var stored = JsonSerializer.Deserialize(file, CertificateJson.Default.StoredSecrets) ?? throw new JsonException("the file says null");
            if (stored.Version != Version)
            {
                throw new JsonException($"it is of version {stored.Version}, this proxy reads version {Version}");
            }

            return stored.Secrets is { } secrets && secrets.Values.All(secret => secret is not null) ? secrets
                : throw new JsonException("it has entries that are empty");
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return new Dictionary<string, StoredSecret>();
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or UnauthorizedAccessException)
        {
            Log.Unreadable(logger, Path, unreadable.Message);
            return new Dictionary<string, StoredSecret>();
        }
    }

    /// <exception cref="IOException">The disk is full, or the like; the file is as it was.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public void Save(IReadOnlyDictionary<string, StoredSecret> secrets)
    {
        Directory.CreateDirectory(folder);
        var aside = Path + ".new";
        File.Delete(aside);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(aside, options))
        {
            JsonSerializer.Serialize(file, new StoredSecrets(Version, secrets), CertificateJson.Default.StoredSecrets);
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, Path, overwrite: true);
    }

    internal sealed record StoredSecrets(int Version, IReadOnlyDictionary<string, StoredSecret> Secrets);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(StoredSecrets))]
    private sealed partial class CertificateJson : JsonSerializerContext;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The stored certificates in {Path} cannot be used; starting without: {Reason}")]
        public static partial void Unreadable(ILogger logger, string path, string reason);
    }
}
