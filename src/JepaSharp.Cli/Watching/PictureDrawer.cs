using JepaSharp.Reports;
using JepaSharp.Runs;
using JepaSharp.Runtime;

namespace JepaSharp.Cli.Watching;

/// <summary>Draws masks, feature maps and neighbours of runs that somebody looks at, anew for each checkpoint: one run at a time, on a thread that
/// yields to all others.</summary>
internal sealed class PictureDrawer
{
    /// <summary>Images that neighbours are looked for among: few, since a run may be going on beside.</summary>
    private const int Images = 128;

    private readonly Dictionary<string, Drawn> _drawn = [];
    private readonly CancellationToken _cancellation;
    private bool _isDrawing;

    /// <summary>A drawer.</summary>
    /// <param name="cancellation">Stops it.</param>
    public PictureDrawer(CancellationToken cancellation) => _cancellation = cancellation;

    /// <summary>The newest pictures there are, and what is to be said of them; newer ones are begun where there is a newer checkpoint.</summary>
    /// <param name="folder">A run's.</param>
    public (ReportPictures? Pictures, string? Note) Of(string folder)
    {
        var checkpoint = new FileInfo(Path.Combine(folder, "checkpoints", "latest", "weights.safetensors"));
        if (!checkpoint.Exists) return (null, "Pictures of what it learns are drawn when its first checkpoint has been written.");
        lock (_drawn)
        {
            var drawn = _drawn.GetValueOrDefault(folder);
            if (drawn?.Of != checkpoint.LastWriteTimeUtc && !_isDrawing)
            {
                _isDrawing = true;
                var thread = new Thread(() => Draw(folder, checkpoint.LastWriteTimeUtc)) { IsBackground = true, Priority = ThreadPriority.Lowest };
                thread.Start();
            }

            return drawn is null ? (null, "Pictures are being drawn.") : (drawn.Pictures, drawn.Problem);
        }
    }

    private void Draw(string folder, DateTime checkpoint)
    {
        Drawn drawn;
        try
        {
            using var run = FinishedRun.Open(folder, device: "cpu");
            drawn = new Drawn(checkpoint, run.DrawPictures(Images, _cancellation), null);
        }
        catch (OperationCanceledException)
        {
            return;
        }
#pragma warning disable CA1031 // whatever is wrong with one run's checkpoint or images, the others are still to be shown
        catch (Exception e)
#pragma warning restore CA1031
        {
            drawn = new Drawn(checkpoint, null, $"There are no pictures: {(e is JepaException ? e.Message : e.Message.Split('\n')[0])}");
        }

        lock (_drawn)
        {
            // A checkpoint that was being replaced is no reason to take away what is shown.
            _drawn[folder] = drawn.Pictures is null && _drawn.GetValueOrDefault(folder) is { Pictures: not null } before
                ? before with { Of = checkpoint } : drawn;
            _isDrawing = false;
        }
    }

    private sealed record Drawn(DateTime Of, ReportPictures? Pictures, string? Problem);
}
