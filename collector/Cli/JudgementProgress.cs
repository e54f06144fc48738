using System.CommandLine;
using Grpc.Core;
using Telemetry.Protocol.Text;
using Telemetry.Protocol.V1;

namespace Telemetry.Collector.Cli;

/// <summary>Says on a terminal how many instances are left to be judged anew, while a command waits for that.</summary>
internal sealed class JudgementProgress(TextWriter terminal, Func<Task<ulong>> left, TimeProvider time)
{
    private const string ClearedLine = "\r\u001b[K";

    /// <summary>Between two looks. What takes no longer needs no line.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Waits for what a command asked of the server; where nobody would see the progress, for nothing else.</summary>
    public static Task<T> During<T>(ParseResult arguments, AsyncUnaryCall<T> call) => During(arguments, call.ResponseAsync);

    /// <inheritdoc cref="During{T}(ParseResult, AsyncUnaryCall{T})"/>
    public static Task<T> During<T>(ParseResult arguments, Task<T> work)
    {
        if (Console.IsErrorRedirected)
            return work;

        var client = new BaselineService.BaselineServiceClient(Connection.Open(arguments));
        return new JudgementProgress(Console.Error, async () => (await client.GetJudgementProgressAsync(new GetJudgementProgressRequest())).Left, TimeProvider.System)
            .During(work);
    }

    public async Task<T> During<T>(Task<T> work)
    {
        var isShown = false;
        while (await Task.WhenAny(work, Task.Delay(Interval, time)) != work)
        {
            if (await LeftAsync() is not (> 0 and var count))
                continue;

            await terminal.WriteAsync($"{ClearedLine}Judging anew: {Counted.Of((long)count, "instance is", "instances are")} left.");
            isShown = true;
        }

        if (isShown)
            await terminal.WriteAsync(ClearedLine);
        return await work;
    }

    /// <returns>0 when the server does not say: whether that matters, the work itself tells.</returns>
    private async Task<ulong> LeftAsync()
    {
        try
        {
            return await left();
        }
        catch (RpcException)
        {
            return 0;
        }
    }
}
