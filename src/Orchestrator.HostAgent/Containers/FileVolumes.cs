using System.Formats.Tar;
using System.Globalization;
using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;

namespace Orchestrator.HostAgent.Containers;

/// <summary>
/// The volumes that a replica's files lie in, one for each of <see cref="ReplicaTemplate.Files"/>, and what fills them: a container that
/// is never started. The replica's own mounts them read-only, and into such a mount an engine puts nothing (docs/design/configuration.md).
/// </summary>
internal static class FileVolumes
{
    /// <summary>On a replica's container: how many volumes it has.</summary>
    public const string CountLabel = "orchestrator.dev/file-volumes";

    /// <summary>On a filler: uid of the Replica. Not the label that a replica's container has, or it would be taken for one.</summary>
    public const string FillerLabel = "orchestrator.dev/fills-volumes-of";

    /// <summary>Where a filler has the volumes. The image has nothing there.</summary>
    private const string FillerFolder = "orchestrator-files";

    /// <summary>Of a uid, in names. The labels have all of it.</summary>
    private const int ShortUid = 8;

    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>Deterministic, and another for each Replica that ever had its name.</summary>
    public static IReadOnlyList<string> NamesOf(Replica replica) =>
        [.. Enumerable.Range(0, replica.Spec.Template.Files?.Count ?? 0).Select(mount => NameOf(ContainerBody.NameOf(replica), replica.Metadata.Uid, mount))];

    /// <summary>Of a replica's container, by its labels: whose Replica is gone has no template any more.</summary>
    public static IReadOnlyList<string> NamesOf(ContainerSnapshot container) =>
        int.TryParse(container.Labels.GetValueOrDefault(CountLabel), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && container.Labels.TryGetValue(Labels.Namespace, out var @namespace) && container.Labels.TryGetValue(Labels.Replica, out var name)
            ? [.. Enumerable.Range(0, count).Select(mount => NameOf($"orc-{@namespace}-{name}", container.ReplicaUid, mount))]
            : [];

    public static Dictionary<string, string> LabelsOf(Replica replica, DockerHost host, string instanceId) => new()
    {
        [Labels.App] = replica.Spec.AppName,
        [Labels.Namespace] = replica.Metadata.NamespaceProperty,
        [Labels.Replica] = replica.Metadata.Name,
        [Labels.ReplicaUid] = replica.Metadata.Uid,
        [Labels.Instance] = instanceId,
        [Labels.Host] = host.Metadata.Name,
    };

    public static IEnumerable<Mount> MountsOf(Replica replica) => NamesOf(replica).Zip(
        replica.Spec.Template.Files ?? [], (name, files) => MountOf(name, files.MountPath, readOnly: true));

    public static string FillerNameOf(Replica replica) => $"{NameOf(ContainerBody.NameOf(replica), replica.Metadata.Uid, 0)}-filler";

    public static CreateContainerParameters FillerOf(Replica replica, DockerHost host, string instanceId) => new()
    {
        Name = FillerNameOf(replica),

        // It is there, or the replica's container could not be made either; the command is for images that have none.
        Image = replica.Spec.Template.Image,
        Entrypoint = ["never-started"],
        Labels = new Dictionary<string, string>
        {
            [Labels.Namespace] = replica.Metadata.NamespaceProperty,
            [Labels.Replica] = replica.Metadata.Name,
            [Labels.Instance] = instanceId,
            [Labels.Host] = host.Metadata.Name,
            [FillerLabel] = replica.Metadata.Uid,
        },
        HostConfig = new HostConfig
        {
            NetworkMode = "none",
            Mounts = [.. NamesOf(replica).Select((name, mount) => MountOf(name, $"/{FillerFolder}/{mount.ToString(CultureInfo.InvariantCulture)}", readOnly: false))],
        },
    };

    /// <summary>An archive for the root of the filler: all files of all volumes, owned by root.</summary>
    public static byte[] ArchiveOf(RevisionContent content)
    {
        using var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            var folders = new HashSet<string>(StringComparer.Ordinal);
            foreach (var file in content.Files)
            {
                var path = $"{FillerFolder}/{file.Mount.ToString(CultureInfo.InvariantCulture)}/{file.Path}";
                for (var end = path.IndexOf('/', StringComparison.Ordinal); end >= 0; end = path.IndexOf('/', end + 1))
                {
                    // The volumes' own roots stay as the engine made them, readable for all.
                    if (end > FillerFolder.Length && path[..end].Count(c => c == '/') > 1 && folders.Add(path[..end]))
                    {
                        tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, path[..end] + "/") { Mode = FolderMode });
                    }
                }

                using var bytes = new MemoryStream(file.Bytes, writable: false);
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, path) { Mode = (UnixFileMode)file.Mode, DataStream = bytes });
            }
        }

        return archive.ToArray();
    }

    private static string NameOf(string container, string uid, int mount)
    {
        var compact = uid.Replace("-", "", StringComparison.Ordinal);
        return $"{container}-{compact[..Math.Min(ShortUid, compact.Length)]}-{mount.ToString(CultureInfo.InvariantCulture)}";
    }

    private static Mount MountOf(string volume, string target, bool readOnly) => new()
    {
        Type = "volume",
        Source = volume,
        Target = target,
        ReadOnly = readOnly,

        // Nor what the image has there: an empty volume would be filled with it.
        VolumeOptions = new VolumeOptions { NoCopy = true },
    };
}
