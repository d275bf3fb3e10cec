using k8s;
using k8s.Exceptions;
using k8s.KubeConfigModels;

namespace Orchestrator.Cli.Connection;

/// <summary>
/// Which kubeconfig a command uses: the one it is given, <c>$KUBECONFIG</c>, the local <c>orc serve</c>'s, <c>~/.kube/config</c>, the
/// pod's own account; the first there is. The local server comes before kubectl's default file, since whoever runs a server
/// here and types <c>orc</c> means it; a kubeconfig that was named explicitly comes before both (docs/cli.md).
/// </summary>
internal sealed record KubeconfigChoice(IReadOnlyList<string> Files, string Source)
{
    public const string AdminFileName = "admin.kubeconfig";

    public bool InCluster => Files.Count == 0;

    /// <param name="given">The option's value.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <exception cref="CommandException">There is none, or it cannot be read.</exception>
    public static KubeconfigChoice Find(string? given, Func<string, string?> environment, string dataFolder, string homeFolder)
    {
        if (given is not null)
        {
            return new([Readable(given, "--kubeconfig")], "--kubeconfig");
        }

        if (environment("KUBECONFIG") is { Length: > 0 } variable)
        {
            // A list, as PATH is; files that do not exist are skipped, as kubectl does.
            var files = variable.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Where(File.Exists).ToList();
            return files.Count > 0
                ? new(files, "$KUBECONFIG")
                : throw new CommandException(ExitCodes.Unreachable, $"$KUBECONFIG names {variable}, which does not exist");
        }

        var local = Path.Combine(dataFolder, AdminFileName);
        if (IsReadable(local))
        {
            return new([local], "local server");
        }

        var usual = Path.Combine(homeFolder, ".kube", "config");
        if (IsReadable(usual))
        {
            return new([usual], "~/.kube/config");
        }

        if (environment("KUBERNETES_SERVICE_HOST") is { Length: > 0 })
        {
            return new([], "the pod's service account");
        }

        const string systemAdmin = DataFolders.OfRoot + "/" + AdminFileName;
        var hint = local != systemAdmin && Directory.Exists(DataFolders.OfRoot)
            ? $"a server runs here as root: use `sudo orc …`, or have {systemAdmin} copied to where you can read it and name it with --kubeconfig"
            : "start a server here with `orc serve`, or name the kubeconfig of one with --kubeconfig or $KUBECONFIG";
        throw new CommandException(ExitCodes.Unreachable, $"no kubeconfig found (looked at $KUBECONFIG, {local} and {usual}): {hint}");
    }

    /// <exception cref="CommandException">It cannot be read, or has no such context.</exception>
    public KubernetesClientConfiguration Load(string? context)
    {
        if (InCluster)
        {
            return KubernetesClientConfiguration.InClusterConfig();
        }

        try
        {
            return ClientCertificate.Follow(() => KubernetesClientConfiguration.BuildConfigFromConfigObject(Merged(), context));
        }
        catch (Exception failure) when (failure is KubeConfigException or YamlDotNet.Core.YamlException or IOException
            or UnauthorizedAccessException or FormatException or ArgumentException or System.Security.Cryptography.CryptographicException)
        {
            throw new CommandException(
                ExitCodes.Unreachable, $"kubeconfig {string.Join(Path.PathSeparator, Files)} (from {Source}): {failure.Message}", failure);
        }
    }

    /// <summary>As kubectl merges: whoever names something first defines it.</summary>
    private K8SConfiguration Merged()
    {
        var merged = KubeconfigFile.Read(Files[0]);
        foreach (var file in Files.Skip(1))
        {
            var next = KubeconfigFile.Read(file);
            merged.CurrentContext ??= next.CurrentContext;
            merged.Clusters = [.. (merged.Clusters ?? []).UnionBy(next.Clusters ?? [], cluster => cluster.Name)];
            merged.Contexts = [.. (merged.Contexts ?? []).UnionBy(next.Contexts ?? [], one => one.Name)];
            merged.Users = [.. (merged.Users ?? []).UnionBy(next.Users ?? [], user => user.Name)];
        }

        return merged;
    }

    private static string Readable(string file, string source) => File.Exists(file)
        ? file
        : throw new CommandException(ExitCodes.Unreachable, $"{source}: there is no file {file}");

    private static bool IsReadable(string file)
    {
        try
        {
            using var opened = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
