using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.Api.Contents;
using Orchestrator.Api.DockerHosts;
using Orchestrator.Api.Replicas;

namespace Orchestrator.HostAgent.Containers;

/// <summary>What an engine is asked to create for a Replica.</summary>
public static class ContainerBody
{
    /// <summary>
    /// Hash of what the body was made from. A container that never ran and was made from something else is made anew; one that
    /// runs is left alone, or an update of Orchestrator would restart every site.
    /// </summary>
    public const string SpecLabel = "orchestrator.dev/spec";

    /// <summary>Weight of one core under contention, as Kubernetes reckons a request.</summary>
    private const int SharesPerCore = 1024;
    private const int MinShares = 2;
    private const long NanoPerCore = 1_000_000_000;

    /// <summary>Deterministic, so that whoever creates twice makes one; namespace and Replica names hold no underscore, dot or slash.</summary>
    public static string NameOf(Replica replica) => $"orc-{replica.Metadata.NamespaceProperty}-{replica.Metadata.Name}";

    /// <param name="replica">Bound to <paramref name="host"/>.</param>
    /// <param name="peerAddress">The address that the host's name stands for: an engine publishes on addresses only.</param>
    /// <param name="content">Of the revision; null where the template has no references.</param>
    public static CreateContainerParameters Of(
        Replica replica, DockerHost host, string instanceId, string? peerAddress = null, RevisionContent? content = null)
    {
        var template = replica.Spec.Template;
        var exposed = $"{template.EffectivePort.ToString(CultureInfo.InvariantCulture)}/tcp";
        return new CreateContainerParameters
        {
            Name = NameOf(replica),
            Hostname = replica.Metadata.Name,
            Image = template.Image,
            Entrypoint = template.Command is { Count: > 0 } command ? command : null!,
            Cmd = template.Args is { Count: > 0 } args ? args : null!,
            Env = [.. Environment(replica, host, content)],
            Labels = LabelsOf(replica, host, instanceId),
            ExposedPorts = new Dictionary<string, EmptyStruct> { [exposed] = default },
            StopTimeout = template.TerminationGracePeriod,
            HostConfig = new HostConfig
            {
                PortBindings = new Dictionary<string, IList<PortBinding>>
                {
                    [exposed] =
                    [
                        new PortBinding
                        {
                            HostIP = IPAddress.TryParse(host.Spec.EffectivePublishAddress, out _) ? host.Spec.EffectivePublishAddress
                                : peerAddress ?? host.Spec.EffectivePublishAddress,
                            HostPort = HostPort(replica).ToString(CultureInfo.InvariantCulture),
                        },
                    ],
                },

                // The engine heals a crash by itself, also while we are down (docs/design/host-agent.md, Restarts).
                RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.Always },
                SecurityOpt = ["no-new-privileges:true"],
                Mounts = [.. FileVolumes.MountsOf(replica)],
                LogConfig = new LogConfig
                {
                    Type = "json-file",
                    Config = new Dictionary<string, string> { ["max-size"] = "10m", ["max-file"] = "3" },
                },
                NanoCPUs = (long)((template.Resources?.Limit(ResourceNeeds.Cpu) ?? 0) * NanoPerCore),
                CPUShares = template.Resources?.Requested(ResourceNeeds.Cpu) is { } cores ? Math.Max(MinShares, (long)(cores * SharesPerCore)) : 0,
                Memory = (long)(template.Resources?.Limit(ResourceNeeds.Memory) ?? 0),

                // Memory and swap together: the limit is the limit, as in Kubernetes.
                MemorySwap = (long)(template.Resources?.Limit(ResourceNeeds.Memory) ?? 0),
            },
        };
    }

    /// <summary>
    /// Hash for <see cref="SpecLabel"/>. Of the publish address it holds what the DockerHost says: a name may stand for several
    /// addresses, and for another at each connect.
    /// </summary>
    public static string SpecOf(Replica replica, DockerHost host)
    {
        var port = HostPort(replica).ToString(CultureInfo.InvariantCulture);
        var text = $"{RevisionHash.Of(replica.Spec.Template)}\n{host.Spec.EffectivePublishAddress}\n{port}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
    }

    private static int HostPort(Replica replica) => replica.Spec.HostPort
        ?? throw new ArgumentException($"Replica {replica.Metadata.Name} is not bound: it has no host port", nameof(replica));

    private static Dictionary<string, string> LabelsOf(Replica replica, DockerHost host, string instanceId)
    {
        var labels = new Dictionary<string, string>
        {
            [Labels.App] = replica.Spec.AppName,
            [Labels.Revision] = replica.Spec.Revision,
            [Labels.Namespace] = replica.Metadata.NamespaceProperty,
            [Labels.Replica] = replica.Metadata.Name,
            [Labels.ReplicaUid] = replica.Metadata.Uid,
            [Labels.Instance] = instanceId,
            [Labels.Host] = host.Metadata.Name,
            [SpecLabel] = SpecOf(replica, host),
        };
        if (replica.Spec.Template.Files is { Count: > 0 } files)
        {
            labels[FileVolumes.CountLabel] = files.Count.ToString(CultureInfo.InvariantCulture);
        }

        return labels;
    }

    private static IEnumerable<string> Environment(Replica replica, DockerHost host, RevisionContent? content)
    {
        var variables = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in content?.Environment ?? new Dictionary<string, string>())
        {
            variables[name] = value;
        }

        foreach (var variable in (replica.Spec.Template.Env ?? []).Where(variable => variable.ValueFrom is null))
        {
            variables[variable.Name] = variable.Value ?? "";
        }

        // Ours come last and win: that a container finds its port in PORT is a promise.
        variables["ORC_APP"] = replica.Spec.AppName;
        variables["ORC_REPLICA"] = replica.Metadata.Name;
        variables["ORC_HOST"] = host.Metadata.Name;
        variables["PORT"] = replica.Spec.Template.EffectivePort.ToString(CultureInfo.InvariantCulture);
        return variables.Select(variable => $"{variable.Key}={variable.Value}");
    }
}
