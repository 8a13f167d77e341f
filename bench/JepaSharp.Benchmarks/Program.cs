using System.Globalization;
using JepaSharp.Benchmarks;
using JepaSharp.Benchmarks.Amx;
using JepaSharp.Benchmarks.Growth;
using JepaSharp.Benchmarks.Steps;
using JepaSharp.Runtime;
using static TorchSharp.torch;

RuntimeTuning.Apply();
try
{
    NativeLibtorch.TryLoad();
    return Run(args);
}
catch (JepaException e)
{
    Console.Error.WriteLine(e.Message);
    return e.IsUsage ? 2 : 1;
}

static int Run(string[] args) => args switch
{
    ["decode", var folder] => DecodeBenchmark.Run(folder),
    ["load", var folder, var size, var threads] =>
        LoaderBenchmark.Run(folder, Whole(size), Whole(threads)),
    ["load-tensors", var folder, var size, var threads, var kernel, var count] =>
        LoaderBenchmark.RunToTensors(folder, Whole(size), Whole(threads), kernel, Whole(count)),
    ["race-loading", var folder, var peerFolder, var size, var threads, var kernel, var count, var rounds, .. var peer] when peer.Length > 0 =>
        LoadingRace.Run(folder, peerFolder, Whole(size), Whole(threads), kernel, Whole(count), Whole(rounds), peer),
    ["photographs", var folder, var target] => PhotographSet.Write(folder, target),
    ["read", .. var paths] when paths.Length > 0 => SourceBenchmark.Run(paths),
    ["weights", var path] => WeightsBenchmark.Run(path),
    ["embed", var model, var precision] => EmbedBenchmark.Run(model, precision == "bf16" ? ScalarType.BFloat16 : ScalarType.Float32),
    ["race-step", .. var options] => StepRace.Run(options),
    ["step", .. var options] => StepRun.Run(options),
    ["method-step", var method, .. var options] => MethodRace.Run(method, options),
    ["race-method", var methods, .. var options] => MethodRace.Race(methods, options),
    ["rates", .. var options] => StepRace.Rates(options),
    ["beside", .. var options] => StepBeside.Run(options),
    ["burn", var seconds] => StepBeside.Burn(Whole(seconds)),
    ["race-commands", .. var options] => CommandRace.Run(options),
    ["growth", .. var options] => GrowthSweep.Run(options),
    ["steady", .. var options] => SteadySteps.Run(options),
    ["service", var address, var image, .. var options] => ServiceLoad.Run(address, image, options),
    ["ranks", var numbers] => RanksBenchmark.Run(Whole(numbers)),
    ["amx", .. var options] => AmxBenchmark.Run(options),
    _ => Usage(),
};

static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static int Usage()
{
    Console.Error.WriteLine(
        """
        decode FOLDER                      compares the decoding libraries on the folder's JPEGs, one thread
        load   PATH CROP-SIZE THREADS      images a second through the training loader, and processor time
        load-tensors FOLDER CROP-SIZE THREADS bilinear|bicubic|dino IMAGES
                                           the same to normalised float tensors, as bench/peer/torchvision_loading.py; dino: its 2 + 8 views
        race-loading FOLDER PEER-FOLDER CROP-SIZE THREADS bilinear|bicubic|dino IMAGES ROUNDS PEER-COMMAND...
                                           load-tensors and the peer in turn, each on as many cores as threads
        photographs  FOLDER TARGET         writes 512 JPEGs of 400x533 pixels, cut from the two photographs in FOLDER
        read   PATH...                     images a second that each source opens and decodes, in order and shuffled, one thread
        weights PATH                       how long an encoder takes to load, and the peak memory
        embed  MODEL fp32|bf16             images a second through a frozen encoder at 224 pixels
        race-step --peer "COMMAND" [--shape tiny|small|base|all] [--precision KEY] [--rounds N] [--steps N] [--attention naive|sdpa] [--out FILE.md]
                                           our training step, the peer's in fp32 and bf16, and ours on libtorch's operators, in turn
        beside [--shape tiny] [--precision KEY] [--rounds N] [--steps N]
                                           our step alone, beside one and two busy programs, and two runs at once
        step   [--shape tiny|small|base|large|huge|GRID,BATCH,WIDTH,DEPTH] [--precision KEY] [--steps N] [--warmup N] [--batch N] [--accumulate N] [--checkpoint]
                                           our training step alone, as a line of JSON
        race-method NAME[,NAME...] --peer "COMMAND" [--precision KEY] [--rounds N] [--steps N] [--batch N]
                                           a step of another method (mae-tiny, mae-small, mae-base, dino-small, dino-head, rcdm), bench/peer's and
                                           ours on libtorch's operators, in turn; COMMAND as in "python3 bench/peer/"
        method-step NAME [--precision KEY] [--steps N] [--warmup N] [--batch N]
                                           such a step alone, as a line of JSON
        rates  [--precision KEY]           GFLOP/s of libtorch's matrix product and of our tiles
        race-commands --ours "COMMAND" --peer "COMMAND" [--rounds N] [--images N] [--name TEXT]
                                           two whole commands in turn, from start to exit; {} stands for the round
        service ADDRESS IMAGE [--requests N] [--at-a-time N]
                                           sends an image again and again to samples/JepaSharp.Service: requests a second, how long they take
        growth [--precision bf16|fp32] [--steps N] [--out FOLDER]
                                           seconds and memory of a step against tokens, batch, width and depth: growth.csv, growth.svg, exponents
        steady [--steps N] [--shape ...]   whether anything grows over a thousand steps
        ranks  NUMBERS                     under mpirun: a meeting of all ranks, and a gradient of so many numbers added up over them
        amx    [--shape tiny|small|base|all] [--rounds N] [--steps N]
                                           whether products with AMX are right, their rates, and steps with and without; exits 77 where there is no AMX
        """);
    return 2;
}
