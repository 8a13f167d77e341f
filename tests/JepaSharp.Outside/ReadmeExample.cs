using JepaSharp.Configuration;
using JepaSharp.Runs;
using JepaSharp.Weights;

namespace JepaSharp.Outside;

/// <summary>What README has under "From C#", to the letter: <see cref="ReadmeTests"/> holds the two together and runs it.</summary>
internal static class ReadmeExample
{
    public static void Run()
    {
        // README begins
        var options = PretrainOptions.Load("photos.yaml"); // or RunSetup.Of(null, "photos/train", []), which chooses for the images
        using (var run = PretrainRun.Start(RunSetup.Of(options), "runs/photos"))
            run.Train(stop: new CancellationTokenSource(TimeSpan.FromMinutes(30)).Token); // a stop ends in a checkpoint of the last step

        using (var run = PretrainRun.Resume("runs/photos"))
            Console.WriteLine(run.Train().Outcome); // Completed

        using var finished = FinishedRun.Open("runs/photos", test: "photos/test");
        foreach (var (name, value) in finished.Measure()) Console.WriteLine($"{name} {value:F3}"); // knn_accuracy, ridge_accuracy, rankme, ...

        using var weights = PretrainedWeights.Open("runs/photos");
        using var encoder = PretrainedNetworks.LoadEncoder(weights); // encoder.forward(images): [B, 3, H, W] to [B, N, D]
        // README ends
    }
}
