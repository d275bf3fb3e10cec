using Orchestrator.EndToEnd.Tests.Installations;
using Orchestrator.Testing.Lab;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>A host whose disk is full.</summary>
[Collection<BreakingHosts>]
public sealed class FullDiskTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(45);

    [Fact]
    public async Task A_disk_that_is_full_at_a_pull_is_told_and_once_it_is_not_the_replica_runs()
    {
        await using var installation = await Installation.StartToBreakAsync(hosts: 1);
        var (host, engine, image) = (installation.Lab.Hosts[0], installation.Engines[0], installation.Lab.Image("httpd:v1"));
        await engine.RemoveImageAsync(image);
        await engine.RemoveImageAsync(installation.Lab.Image("httpd:v2"));

        // A disk of its own, far too small, where the engine puts what it downloads.
        var downloads = Path.Combine(await engine.DataFolderAsync(), "tmp");
        await AsEngine(host, "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", downloads);
        try
        {
            await installation.ApplyAsync(Manifests.Web("full", image, replicas: 1));
            await installation.SeeDescribed("webapp", "full", "no space left on device", Limit);
            await installation.SeeDescribed("replicas", "-l=orchestrator.dev/app=full", "ErrImagePull", Limit);
        }
        finally
        {
            await AsEngine(host, "umount", "--lazy", downloads);
        }

        await installation.SeeReady("full", 1);
    }

    /// <summary>Runs a program that sees the file systems that the host's engine sees.</summary>
    private static async Task AsEngine(LabHost host, params string[] command) =>
        (await Command.RunAsync("nsenter", ["--target", (await File.ReadAllTextAsync(host.PidFile)).Trim(), "--mount", "--root", .. command])).OrThrow();
}
