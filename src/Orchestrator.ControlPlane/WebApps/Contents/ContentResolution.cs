using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Orchestrator.Api;
using Orchestrator.Api.Contents;

namespace Orchestrator.ControlPlane.WebApps.Contents;

/// <summary>What a template's references come to with the objects there are. Pure.</summary>
/// <param name="Content">Null when there is a <paramref name="Problem"/>.</param>
/// <param name="Hash">Of the content of references that roll on a change; null when none does.</param>
/// <param name="Skipped">Keys that cannot be variables, for people.</param>
internal sealed partial record ContentResolution(RevisionContent? Content, string? Hash, RolloutProblem? Problem, IReadOnlyList<string> Skipped)
{
    private const int HashLength = 16;

    /// <param name="sources">Every object that is referred to; null for one that does not exist.</param>
    public static ContentResolution Of(ReplicaTemplate template, IReadOnlyDictionary<ContentObject, SourceContent?> sources)
    {
        var work = new Work(sources);
        foreach (var source in template.EnvFrom ?? [])
        {
            work.AddAll(ContentKind.ConfigMap, source.ConfigMapRef, source.Prefix);
            work.AddAll(ContentKind.Secret, source.SecretRef, source.Prefix);
        }

        foreach (var variable in template.Env ?? [])
        {
            work.AddOne(variable.Name, ContentKind.ConfigMap, variable.ValueFrom?.ConfigMapKeyRef);
            work.AddOne(variable.Name, ContentKind.Secret, variable.ValueFrom?.SecretKeyRef);

            // What is overridden makes no other container.
            if (variable.ValueFrom is null)
            {
                work.Variables.Remove(variable.Name);
            }
        }

        foreach (var (files, mount) in (template.Files ?? []).Select((files, mount) => (files, mount)))
        {
            work.AddFiles(mount, files, ContentKind.ConfigMap, files.ConfigMap);
            work.AddFiles(mount, files, ContentKind.Secret, files.Secret);
        }

        return work.Result();
    }

    /// <summary>Of a C identifier more than Kubernetes once took, and what it takes: also dots and dashes.</summary>
    [GeneratedRegex("^[-._a-zA-Z][-._a-zA-Z0-9]*\\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();

    private sealed class Work(IReadOnlyDictionary<ContentObject, SourceContent?> sources)
    {
        private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

        private readonly List<(ContentFile File, bool Counts)> _files = [];
        private readonly List<string> _skipped = [];
        private bool _counts;
        private RolloutProblem? _problem;

        public Dictionary<string, (string Value, bool Counts)> Variables { get; } = new(StringComparer.Ordinal);

        public void AddAll(ContentKind kind, ContentReference? reference, string? prefix)
        {
            if (Find(kind, reference, reference?.Optional) is not { } source)
            {
                return;
            }

            foreach (var (key, bytes) in source.Variables.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                if (!VariableName().IsMatch(prefix + key) || TextOf(bytes) is not { } text)
                {
                    _skipped.Add($"key \"{key}\" of {kind} \"{reference!.Name}\"");
                    continue;
                }

                Variables[prefix + key] = (text, Counts(reference!));
            }
        }

        public void AddOne(string variable, ContentKind kind, KeyReference? reference)
        {
            if (Find(kind, reference, reference?.Optional) is not { } source || Find(source.Variables, kind, reference!, reference!.Key, reference.Optional) is not { } bytes)
            {
                return;
            }

            if (TextOf(bytes) is { } text)
            {
                Variables[variable] = (text, Counts(reference));
            }
            else
            {
                _problem ??= new(WebAppReasons.ConfigurationInvalid, $"key \"{reference.Key}\" of {kind} \"{reference.Name}\" is no text, and cannot be the value of variable {variable}");
            }
        }

        public void AddFiles(int mount, FileMount files, ContentKind kind, FileSource? reference)
        {
            if (Find(kind, reference, reference?.Optional) is not { } source)
            {
                return;
            }

            var standard = files.DefaultMode ?? FileMount.StandardMode;
            if (reference!.Items is not { } items)
            {
                foreach (var (key, bytes) in source.Files.OrderBy(entry => entry.Key, StringComparer.Ordinal))
                {
                    _files.Add((new ContentFile(mount, key, standard, bytes), Counts(reference)));
                }

                return;
            }

            foreach (var item in items)
            {
                // The embedded server refuses such a path; another one does not know the rule.
                if (!ContentFile.IsPath(item.Path))
                {
                    _problem ??= new(WebAppReasons.ConfigurationInvalid, $"\"{item.Path}\" is no path of a file within {files.MountPath}");
                }
                else if (Find(source.Files, kind, reference, item.Key, reference.Optional) is { } bytes)
                {
                    _files.Add((new ContentFile(mount, item.Path, item.Mode ?? standard, bytes), Counts(reference)));
                }
            }
        }

        public ContentResolution Result()
        {
            if (_problem is not null)
            {
                return new(null, null, _problem, _skipped);
            }

            var content = new RevisionContent
            {
                Environment = Variables.ToDictionary(variable => variable.Key, variable => variable.Value.Value, StringComparer.Ordinal),
                Files = [.. _files.Select(entry => entry.File)],
            };
            return TooLarge(content) is { } excess
                ? new(null, null, new(WebAppReasons.ConfigurationTooLarge, excess), _skipped)
                : new(content, _counts ? Hash() : null, null, _skipped);
        }

        private static string? TooLarge(RevisionContent content) =>
            content.SizeLaidDown is > RevisionContent.MaxLaidDown and var files
                ? $"the variables and files of the app are {files} bytes in all; at most {RevisionContent.MaxLaidDown} can be laid down for a replica"
            : content.Encode().Values.Sum(value => (long)value.Length) is > RevisionContent.MaxSize and var size
                ? $"what the app refers to is {size} bytes in all; at most {RevisionContent.MaxSize} can be kept with a revision"
            : null;

        private SourceContent? Find(ContentKind kind, IContentReference? reference, bool? optional)
        {
            if (reference is null)
            {
                return null;
            }

            _counts |= Counts(reference);
            var source = sources[new(kind, reference.Name)];
            if (source is null && optional != true)
            {
                _problem ??= new(WebAppReasons.ConfigurationNotFound, $"{new ContentObject(kind, reference.Name)} not found");
            }

            return source;
        }

        private byte[]? Find(IReadOnlyDictionary<string, byte[]> data, ContentKind kind, IContentReference reference, string key, bool? optional)
        {
            var found = data.GetValueOrDefault(key);
            if (found is null && optional != true)
            {
                _problem ??= new(WebAppReasons.ConfigurationNotFound, $"{new ContentObject(kind, reference.Name)} has no key \"{key}\"");
            }

            return found;
        }

        /// <summary>Each part with its length before it, so that no two contents make one text.</summary>
        private string Hash()
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var (name, (value, _)) in Variables.Where(variable => variable.Value.Counts).OrderBy(variable => variable.Key, StringComparer.Ordinal))
            {
                Add(hash, Encoding.UTF8.GetBytes(name));
                Add(hash, Encoding.UTF8.GetBytes(value));
            }

            // Between the two lists; a variable has a name.
            Add(hash, []);
            foreach (var (file, _) in _files.Where(entry => entry.Counts).OrderBy(entry => entry.File.Mount).ThenBy(entry => entry.File.Path, StringComparer.Ordinal))
            {
                Add(hash, Bytes(file.Mount));
                Add(hash, Encoding.UTF8.GetBytes(file.Path));
                Add(hash, file.Bytes);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset())[..HashLength];
        }

        private static void Add(IncrementalHash hash, byte[] part)
        {
            hash.AppendData(Bytes(part.Length));
            hash.AppendData(part);
        }

        private static byte[] Bytes(int number)
        {
            var bytes = new byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
            return bytes;
        }

        private static bool Counts(IContentReference reference) => reference.RollOnChange != false;

        /// <returns>Null for what no environment can hold.</returns>
        private static string? TextOf(byte[] bytes)
        {
            try
            {
                return bytes.Contains((byte)0) ? null : Strict.GetString(bytes);
            }
            catch (DecoderFallbackException)
            {
                return null;
            }
        }
    }
}
