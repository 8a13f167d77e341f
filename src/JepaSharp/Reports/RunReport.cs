using System.Text;
using JepaSharp.Data.Cropping;
using JepaSharp.Data.Sources;
using JepaSharp.Models;
using JepaSharp.Monitoring;
using JepaSharp.Objectives;
using JepaSharp.Runtime;
using JepaSharp.Training;
using static TorchSharp.torch;

namespace JepaSharp.Reports;

/// <summary>Writes <c>report.html</c> of a run.</summary>
public static class RunReport
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string FileName = "report.html";

    /// <summary>Writes the page of a run whose images are at hand.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="source">The run's images.</param>
    /// <param name="transform">How an image is brought to size.</param>
    /// <param name="trained">The target encoder.</param>
    /// <param name="device">Where it is.</param>
    /// <param name="checkpoints">The run's checkpoints, ranked; null to leave them out.</param>
    /// <param name="searched">Among how many images neighbours are looked for, at most.</param>
    /// <param name="learned">The objective with trained weights, where it shows what it learned: see
    /// <see cref="Objective.DrawsWhatItLearned"/>.</param>
    /// <param name="cancellation">Stops between batches of images.</param>
    /// <returns>The page's path.</returns>
    /// <exception cref="JepaException">The folder holds no run, or an image cannot be read.</exception>
    /// <exception cref="IOException">The page cannot be written.</exception>
    public static string Write(
        string folder, ImageSource source, EvaluationTransform transform, VisionTransformer trained, Device device,
        CheckpointRanking? checkpoints = null,
        int searched = int.MaxValue, Objective? learned = null, CancellationToken cancellation = default)
    {
        var run = RunRecord.Read(folder);
        var plan = new PretrainPlan(run.Options);
        using var scaling = plan.Scaling(device);
        using var beginning = KnownObjectives.Create(plan, device);
        var pictures = RunPictures.Draw(beginning, plan.Seed, source, transform, scaling, trained, device, searched, learned, cancellation);
        string[] unseen = pictures.LeftOut is { } leftOut ? [leftOut.Sentence] : [];
        return Write(run, pictures, checkpoints, [.. (checkpoints?.LeftOut ?? []).Union(unseen)]);
    }

    /// <summary>Writes the page of a run from its files alone, without pictures.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="why">Why there are no pictures: a sentence.</param>
    /// <returns>The page's path.</returns>
    /// <exception cref="JepaException">The folder holds no run.</exception>
    /// <exception cref="IOException">The page cannot be written.</exception>
    public static string WriteWithoutPictures(string folder, string why) => Write(RunRecord.Read(folder), null, null, [why]);

    /// <summary>The pictures of a page by themselves: see <see cref="RunPictures.Draw"/>.</summary>
    internal static ReportPictures Pictures(
        Objective beginning, ulong seed, ImageSource source, EvaluationTransform transform, PixelScaling scaling, VisionTransformer trained,
        Device device, int searched, Objective? learned, CancellationToken cancellation) => new(PicturesSection.Of(
            RunPictures.Draw(beginning, seed, source, transform, scaling, trained, device, searched, learned, cancellation)));

    private static string Write(RunRecord run, RunPictures? pictures, CheckpointRanking? checkpoints, IReadOnlyList<string> missing)
    {
        var path = Path.Combine(run.Folder, FileName);
        var unfinished = path + ".unfinished";
        try
        {
            File.WriteAllText(
                unfinished, ReportPage.Of(run, pictures, checkpoints, missing), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            Renaming.OfFile(unfinished, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(run.Folder)) File.Delete(unfinished);
            throw;
        }

        return path;
    }
}
