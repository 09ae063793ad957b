namespace Llama3Perf.Models.Tokenizer;

/// <summary>What the merges of a synthetic tokenizer are trained on: English and technical words, about most frequent first.</summary>
internal static class CommonWords
{
    /// <summary>Words of English, most frequent first, lower case.</summary>
    public const string English = """
        the of and to in is that for it was were had on with as be at by this are from or an have not you he which but they his her we all
        their has been one will there can more if no out so what up said about would who when its into than them some time other
        could only then do him my any your now over these also may like new such first after most our two how where just because
        those many made people should between before must through back years much me way well down even still being under might
        year know while last us great same another since day work very life own see against come both each right during without
        again place think however home world take part long small here until never always few used use did get make find give go
        good does going want old number high different off too every left set found end large next second during often let put
        come look need state house general course less word words important began later line early side turn got group name given
        several side system order form within along case point water fact until almost nothing though enough thing things far hand
        head eyes night problem almost call called open best became need city service keep money business church family problems
        whether early done area country school man men woman women children child mother father friend friends room door face body
        voice mind heart story book books page letter letters answer question questions idea ideas reason reasons example examples
        result results change changes level levels value values process program programs power light sound music game play run
        running walk move moved moving stand sit read reading write writing written speak talk tell told ask asked seem seemed
        feel felt try tried start started stop stopped help helped show showed shown hear heard believe bring brought buy build
        built carry close closed follow followed hold held learn learned leave lose lost mean means meet pay reach remain remember
        send sent serve spend stay understand wait win wonder yes oh perhaps already once soon today tomorrow yesterday morning
        evening week month minute minutes hour hours moment summer winter spring autumn north south east west street road town
        village land sea river mountain tree trees fire wind rain snow sun moon star stars sky earth animal animals dog cat horse
        bird fish food bread meat fruit milk coffee tea wine table chair bed window wall floor paper box car train ship plane
        white black red green blue yellow brown color colour short tall low deep wide narrow hot cold warm cool dry wet hard soft
        heavy strong weak young full empty clean dirty rich poor happy sad true false clear dark bright easy difficult simple
        quick slow fast fine free ready real sure certain possible impossible likely common special public private local national
        international social human political economic history science art law war peace government president party members member
        company market price cost trade industry office job hospital doctor health death born dead living love hate fear hope
        dream truth kind sort type types shape size weight length height distance space center middle top bottom front behind above
        below near around across beyond inside outside among toward towards upon per half third quarter whole total single double
        three four five six seven eight nine ten hundred thousand million billion zero percent rate rates amount addition average
        able unable above according act action activity actually add added address age ago agree air allow allowed allows alone
        although analysis appear appeared apply approach article attack attention available away bad base based basic beautiful
        become becomes begin beginning behavior besides better big bit blood board break brother cannot care cause century chance
        character charge check choice choose class cold complete completely concern condition conditions consider considered
        contain contains continue continued control copy correct create created cross current currently cut daily data daughter
        decide decided decision degree department describe described design detail details determine develop developed development
        direct direction discover discuss discussion draw drive due earlier education effect effects effort either else energy
        english entire environment especially event events evidence exactly except exist existing exists expect expected experience
        explain express expression extra eye fail failed fall feature features feeling field fight figure figures fill final
        finally five flow foot force foreign former forward frame function functions further future gave girl boy glass goes gold
        gone ground grow growth guess hair happen happened hands hardly heat himself herself itself themselves hit include included
        includes including increase increased indeed individual information instead interest interesting island issue issues join
        king knew knowledge known language languages larger largest late latter lay lead leader learning least led legal limit
        limited limits list listen little live lives loss lower machine main major making manner map mark marked master material
        matter maximum maybe measure measured measurement measurements medical memory mention method methods mine minimum miss
        model models modern movement mr mrs myself natural nature nearly necessary needed needs neither news nor normal note noted
        notice object objects obtain obvious occur offer officer official operation opinion opportunity option options original
        otherwise outcome particular pass passed past path pattern period person personal physical pick picture piece plan plans
        plant player please position positive practice prepare present pressure pretty prevent previous probably produce produced
        product production project proper property properties protect prove provide provided provides purpose quality quite race
        raise range rather receive received recent recently record red reduce region relation relationship report reports represent
        require required requires research respect response rest return returned returns rise role rule rules safe save saw scale
        scene sea season seat section security seen select selected sell sense separate series serious seven shall share sharp shop
        shot shoulder sign significant similar simply situation skill sleep slightly slowly society solution solve son song source
        speed spoke staff stage standard statement step steps stone store strange structure student students study style subject
        success successful suddenly suggest suggested support suppose surface surprise table taken takes talking task tasks teacher
        team term terms test tests text thank thanks theory thick thin thinking thought threw throughout thus tiny title together
        tone took touch towards training travel treat treatment trip trouble turned twenty unit units university unless upper
        useful user users using usual usually various version view visit wanted watch week went wish wonderful worked worker workers
        working works worse worst worth wrong wrote yet yourself
        """;

    /// <summary>Words of programs, performance measurement and chat, most frequent first, lower case.</summary>
    public const string Technical = """
        user assistant system file files code string int return public static class void error token tokens prompt model models
        memory cpu gpu device driver thread threads cache kernel batch layer layers weights precision float integer byte bytes bit
        bits array index length size type null true false var const function method parameter parameters argument arguments value
        key keys values input inputs output outputs format json xml html http https www com org net api server client network
        request response data database query table column columns row rows list map set hash tree graph node nodes edge vector
        matrix tensor tensors shape dimension attention head heads embedding hidden decoder encoder transformer llama language
        inference latency throughput benchmark performance benchmarks measure measured median mean percentile variance sample
        samples iteration iterations warm run runs runtime compile compiler build version release debug test tests assert import
        include module package library framework platform windows linux machine learning neural deep training quantization
        quantized block scale session provider execution optimization parallel memory bandwidth sequence generation generate
        generated text chat message messages template begin end start header stop special reserved id name path folder directory
        config configuration options default example examples document description summary note notes update install command line
        console print write read open close create delete copy move search replace sort filter select insert where group order
        join count sum average minimum maximum random seed number numbers double single long short char unsigned signed pointer
        reference object objects instance property properties interface abstract virtual override private protected internal
        namespace using new this base try catch throw finally exception exceptions async await task tasks event events handler
        delegate lambda loop while for each foreach break continue switch case else if do in is as not and or
        api apis app apps archive arg args assembly attribute backend backup base binary boolean branch browser buffer bug build builds
        builtin cached callback chunk cli clock clone cluster commit compatible compiled component compress computer config container
        context conversion core cores cosine counter crash csv custom deadlock debug declare decode default dependency deploy deprecated
        deterministic disable dispatch docs domain download dtype dynamic email enable encode endpoint enum env epoch eval exec
        executable exit export expression extension field filename fix flag float flush fork frame frequency fully func gate generic git
        global gradient greedy handle hardware header heap hex host icon identifier ids implementation import info init inline install
        integrate interval invalid issue job kernel keyword lazy license link linker load loader local lock log logs loop macro main
        markdown match max merge metadata metric metrics min mode modify module mutex native norm normalize null offset online opcode
        operator options override package page parse parser patch path payload performance permission pipeline plugin pool port prefill
        prefix printf process processor profile profiler project prompt protocol proxy queue quantize raw readme recursive redirect
        regex register release remote render repo repository resolve retry root router scalar schema scope screen script sdk shader
        shell signal socket software source spec stack standard stderr stdin stdout storage struct subset suffix sync syntax target
        template temp terminal throughput timeout timestamp toggle trace transform type types undefined unicode unit update upload url
        usage user username utf util validate validation variable variant version virtual volume web widget wrapper write xml yaml zip
        """;

    /// <summary>Pieces of text that are no words: punctuation, runs of spaces, code and chat markup.</summary>
    public static readonly string[] Punctuation =
    [
        "  ",
        "\n\n",
        "    ",
        "        ",
        ".\n",
        ",\n",
        ":\n",
        "...",
        "--",
        " -",
        " =",
        " ==",
        " =>",
        "://",
        "();",
        " {\n",
        "}\n",
        " //",
        " +",
        " (",
        "(\"",
        "\")",
        "\"\n",
        "'s",
        "'t",
        "'re",
        "'ve",
        "'ll",
        "'m",
        "'d",
        ").",
        "),",
        " <",
        ">\n",
        " <|",
        "###",
        " ##",
        " **",
        "**",
        " |",
        "|\n",
        ";\n",
        "\r\n",
        "   ",
        "\n\n\n",
        " \"",
        ".\"",
        ",\"",
        " '",
        "\t\t",
        "'\n",
        " #",
        "!\n",
    ];
}
