//! The real program from start to end: it gets ready, ends in good order when asked, and starts again after a kill.

use pqh_tests::service::ServiceProgram;
use pqh_tests::slack_webhook::Simulator;

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_in_good_order_when_asked_and_knows_its_organization_after_a_kill() {
    let simulator = Simulator::start().await.unwrap();
    let mut service = ServiceProgram::start(&simulator.base_url()).await.unwrap();
    let organization = service.api().organization();
    assert_eq!(service.api().get("/v1/organization").await.unwrap()["id"], organization);
    let ended = service.stop().await.unwrap();
    assert!(ended.success(), "{ended}: {}", service.output());
    assert!(service.api().readiness().await.is_err(), "nobody answers any more");
    for _ in 0..2 {
        service.restart().await.unwrap();
        assert_eq!(service.api().get("/v1/organization").await.unwrap()["id"], organization);
        service.kill().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_it_prints_holds_a_token() {
    let simulator = Simulator::start().await.unwrap();
    let mut service = ServiceProgram::start(&simulator.base_url()).await.unwrap();
    let api = service.api().clone();
    let tokens = [api.admin_token(), api.publisher_token(), api.operator_token()];
    service.stop().await.unwrap();
    let printed = service.output();
    assert!(printed.contains("127.0.0.1:"), "it says where it listens: {printed}");
    for token in tokens {
        let secret = token.splitn(3, '_').nth(2).unwrap();
        assert!(secret.len() == 43 && !printed.contains(secret), "a token was printed");
    }
}
