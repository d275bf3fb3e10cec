using Orchestrator.ApiServer.Tests.Storage;
using Xunit.MicrosoftTestingPlatform;

namespace Orchestrator.ApiServer.Tests;

/// <summary>Runs the tests, or, started by the crash test, writes until it is killed.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (Environment.GetEnvironmentVariable(CrashTests.ChildFolder) is { Length: > 0 } folder)
        {
            await CrashTests.WriteAsync(folder);
            return 0;
        }

        return await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
    }
}
